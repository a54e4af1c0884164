import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BATCH_BYTES_MAX, batchesOf, REQUEST_BYTES_MAX, requestsOf } from '../../src/kafka/batches.ts';
import { bytes, out } from '../broker/harness.ts';

test('batches stay below the limit, in order, one list for each partition', () => {
  const records = Array.from({ length: 40 }, (_, i) => out('t', i % 2, `${i}`, 'x'.repeat(100_000)));
  const partitions = batchesOf(records);
  expect(partitions.map(({ partition }) => partition)).toEqual([0, 1]);
  for (const { partition, batches } of partitions) {
    expect(batches.length).toBeGreaterThan(1);
    for (const { records: ofBatch } of batches)
      expect(ofBatch.reduce((sum, { value }) => sum + value!.length, 0)).toBeLessThanOrEqual(BATCH_BYTES_MAX);
    const keys = batches.flatMap(batch =>
      batch.records.map(({ key }) => Number(Buffer.from(key!).toString())),
    );
    expect(keys).toEqual(Array.from({ length: 20 }, (_, i) => 2 * i + partition));
  }
});

test('a record above the limit is alone: the broker says whether it takes it', () => {
  const large = { topic: 't', partition: 0, key: null, value: new Uint8Array(2_000_000) };
  const [one] = batchesOf([out('t', 0, 'k', 'a'), large, out('t', 0, 'k', 'b')]);
  expect(one!.batches.map(batch => batch.records.length)).toEqual([1, 1, 1]);
});

test('requests stay below their limit, whole and in order; a batch above it goes alone', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: REQUEST_BYTES_MAX + 10 }), { maxLength: 50 });
  fc.assert(
    fc.property(sizes, given => {
      const batches = given.map(bytesMax => ({ bytesMax }));
      const requests = requestsOf(batches);
      expect(requests.flat()).toEqual(batches);
      for (const one of requests)
        expect(
          one.length === 1 || one.reduce((sum, { bytesMax }) => sum + bytesMax, 0) <= REQUEST_BYTES_MAX,
        ).toBe(true);
      // Together with the next they would not have fitted.
      for (const [i, one] of requests.slice(1).entries())
        expect(
          one[0]!.bytesMax + requests[i]!.reduce((sum, { bytesMax }) => sum + bytesMax, 0),
        ).toBeGreaterThan(REQUEST_BYTES_MAX);
    }),
  );
});

test('bytes are not copied', () => {
  const value = bytes('shared');
  const [one] = batchesOf([{ topic: 't', partition: 0, key: null, value }]);
  expect(one!.batches[0]!.records[0]!.value!.buffer).toBe(value.buffer);
});
