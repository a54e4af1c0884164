import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { checkPipeline, featureNames, hashFeatureSet } from '@millrace/define';
import { fraud, pipelines } from '../src/index.ts';

const SCHEMAS = join(import.meta.dirname, '..', '..', '..', 'schemas');
const fieldsOf = (schema: string): ReadonlySet<string> | undefined => {
  const path = join(SCHEMAS, `${schema}.avsc`);
  if (!existsSync(path)) return undefined;
  const { fields } = JSON.parse(readFileSync(path, 'utf8')) as { fields: { name: string }[] };
  return new Set(fields.map(f => f.name));
};

test('every pipeline stands, with its schemas', () => {
  expect(pipelines).toContain(fraud);
  for (const pipeline of pipelines) expect(checkPipeline(pipeline, fieldsOf)).toEqual([]);
});

test('the vector of fraud has the order that its models were trained with', () => {
  expect(featureNames(fraud.features)).toEqual([
    'amount',
    'txDuringWeekend',
    'txDuringNight',
    'customerTxCount1d',
    'customerAvgAmount1d',
    'customerTxCount7d',
    'customerAvgAmount7d',
    'customerTxCount30d',
    'customerAvgAmount30d',
    'terminalTxCount1d',
    'terminalRisk1d',
    'terminalTxCount7d',
    'terminalRisk7d',
    'terminalTxCount30d',
    'terminalRisk30d',
  ]);
});

test('what version 1 of the fraud set means has not changed: else it is another version', () => {
  expect([fraud.features.version, hashFeatureSet(fraud)]).toEqual([
    1,
    '158e6cb6390978e507b53f9f9a25a74910512a5428090d463bafeaaba3bcd454',
  ]);
});
