import { expect, test } from '@jest/globals';
import { stockRun } from '../../src/kafka/stock.ts';
import type { FetchedPartition } from '../../src/kafka/internals.ts';
import { decodeFetched, record, recordBatch } from './patch/load.ts';

const fetched = async (batches: readonly Buffer[]): Promise<FetchedPartition> => ({
  partition: 0,
  highWatermark: '100',
  lastStableOffset: '100',
  abortedTransactions: [],
  messages: (await decodeFetched(batches)) as unknown as FetchedPartition['messages'],
});

test('an empty batch, as compaction leaves it, is passed', async () => {
  const messages = await decodeFetched([recordBatch(40, 9, [])]);
  expect(messages).toHaveLength(0);
  expect(messages.lastBatchOffset).toBe('49');
  expect(stockRun('t', 40, await fetched([recordBatch(40, 9, [])])).nextOffset).toBe(50);
});

test('a batch whose tail was compacted is passed in one step', async () => {
  const run = stockRun('t', 10, await fetched([recordBatch(10, 19, [record(0, 'a'), record(3, 'b')])]));
  expect([run.length, run.offset(1), run.nextOffset]).toEqual([2, 13, 30]);
});

test('a batch that was cut off at its end is fetched again', async () => {
  const whole = recordBatch(0, 4, [record(0, 'a')]);
  const cut = recordBatch(5, 4, [record(0, 'b')]).subarray(0, 60);
  expect(stockRun('t', 0, await fetched([whole, cut])).nextOffset).toBe(5);
});

test('a batch of 200,000 records is decoded', async () => {
  const one = record(0, '');
  const many = recordBatch(
    0,
    199_999,
    Array.from({ length: 200_000 }, () => one),
  );
  expect(await decodeFetched([many])).toHaveLength(200_000);
}, 60_000);
