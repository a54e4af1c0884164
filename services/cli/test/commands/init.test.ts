import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Pipeline } from '@millrace/define';
import { init, withPipeline } from '../../src/commands/init.ts';
import { run } from '../../src/commands/run.ts';
import { UsageError } from '../../src/io.ts';
import { fakeIo } from '../fakeIo.ts';

const REPOSITORY = join(import.meta.dirname, '../../../..');
const root = mkdtempSync(join(tmpdir(), 'millrace-init-'));
afterAll(() => rmSync(root, { recursive: true }));

test('what init writes is a pipeline that runs on its sample', async () => {
  mkdirSync(join(root, 'packages/pipelines'), { recursive: true });
  cpSync(join(REPOSITORY, 'packages/pipelines/src'), join(root, 'packages/pipelines/src'), {
    recursive: true,
  });
  symlinkSync(
    join(REPOSITORY, 'packages/pipelines/node_modules'),
    join(root, 'packages/pipelines/node_modules'),
  );
  expect(init(fakeIo(), root, 'churn')).toBe(0);
  const { pipelines } = (await import(join(root, 'packages/pipelines/src/index.ts'))) as {
    pipelines: readonly Pipeline[];
  };
  expect(pipelines.map(p => p.name)).toEqual(['fraud', 'credit', 'loans', 'churn']);
  const schema = JSON.parse(readFileSync(join(root, 'schemas/churn/event.avsc'), 'utf8')) as {
    fields: { doc?: string }[];
  };
  expect(schema.fields.every(f => f.doc !== undefined)).toBe(true);
  expect(() => init(fakeIo(), root, 'churn')).toThrow(UsageError);
});

test('an index without a list is left alone', () => {
  expect(() => withPipeline('export {};', 'churn')).toThrow('no list of pipelines');
});

test('a pipeline of which no schema is known is named', async () => {
  const { fraud } = await import('@millrace/pipelines');
  const unknown = {
    ...fraud,
    name: 'churn',
    events: { transactions: { ...fraud.events['transactions']!, schema: 'churn/event' } },
  };
  const options = {
    input: '-',
    labels: undefined,
    map: undefined,
    models: root,
    modelVersion: '1',
    output: 'csv' as const,
  };
  await expect(run(fakeIo(), unknown, options)).rejects.toThrow(/churn\/event/);
});
