import { expect, test } from '@jest/globals';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { type Column, parquetBytes } from '../../src/index.ts';

const columns: readonly Column[] = [
  { name: 'id', type: 'STRING', data: ['a', 'b'] },
  { name: 'truth', type: 'BOOLEAN', data: [true, null] },
  { name: 'version', type: 'INT32', data: [1, 2] },
  { name: 'at', type: 'TIMESTAMP', data: [new Date(1_500), null] },
  { name: 'score', type: 'FLOAT', data: Float32Array.from([0.1, Number.NaN]) },
  { name: 'offset', type: 'INT64', data: [2n ** 40n, 0n] },
];

test('a reader of others finds the values, nulls and NaN as they were, and the metadata', async () => {
  const file = parquetBytes(columns, { set: 'abc' }).buffer as ArrayBuffer;
  expect(await parquetReadObjects({ file })).toEqual([
    { id: 'a', truth: true, version: 1, at: new Date(1_500), score: Math.fround(0.1), offset: 2n ** 40n },
    { id: 'b', truth: null, version: 2, at: null, score: Number.NaN, offset: 0n },
  ]);
  expect(parquetMetadata(file).key_value_metadata).toContainEqual({ key: 'set', value: 'abc' });
});

test('the same columns give the same bytes', () => {
  expect(parquetBytes(columns, {})).toEqual(parquetBytes(columns, {}));
});
