import { expect, test } from '@jest/globals';
import { topicsOf } from '@millrace/contracts';
import { featureNames } from '@millrace/define';
import { compileSet } from '@millrace/features';
import { customersOf } from '../../src/feature/pipeline.ts';
import { benchPipelines } from '../../src/world/pipelines.ts';

test('three windows of customers and nothing else, in one stage', () => {
  const pipeline = customersOf(1);
  expect(featureNames(pipeline.features)).toEqual([
    'customerTxCount1d',
    'customerAvgAmount1d',
    'customerTxCount7d',
    'customerAvgAmount7d',
    'customerTxCount30d',
    'customerAvgAmount30d',
  ]);
  expect(compileSet(pipeline).stages).toHaveLength(1);
  expect(topicsOf(pipeline).release).toBeUndefined();
});

test('rounds share no topic, and the service knows the pipeline of each', () => {
  const [first, second] = [topicsOf(customersOf(1)), topicsOf(customersOf(2))];
  const names = [first, second].map(({ scored, features, changelog }) => [scored, features, changelog]);
  expect(new Set(names.flat()).size).toBe(6);
  const known = benchPipelines().map(({ name }) => name);
  expect(known).toContain(customersOf(20).name);
  expect(new Set(known).size).toBe(known.length);
});
