import { gzipSync, zstdCompressSync } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BrokerError } from '../../../src/broker/port.ts';
import { BATCH_RECORDS_MAX, DECOMPRESSED_BYTES_ENOUGH } from '../../../src/kafka/records/batches.ts';
import { DECOMPRESSED_BYTES_MAX } from '../../../src/kafka/records/decompress.ts';
import { record, recordBatch } from '../patch/load.ts';
import { runOf, sealed, valuesIn } from './fetched.ts';

const VALUES = ['a', 'b', 'c'];
const batch = (baseOffset = 0): Buffer =>
  recordBatch(
    baseOffset,
    2,
    VALUES.map((value, i) => record(i, value)),
  );

const compressed = (codec: number, records: Buffer, count: number): Buffer => {
  const whole = recordBatch(0, count - 1, [records], codec);
  whole.writeInt32BE(count, 57);
  return sealed(whole);
};
const plainRecords = Buffer.concat(VALUES.map((value, i) => record(i, value)));

test('an empty batch, as compaction leaves it, is passed (P3)', () => {
  expect(runOf([recordBatch(40, 9, [])], 40)).toMatchObject({ length: 0, nextOffset: 50 });
});

test('a batch whose tail was compacted is passed in one step (P3)', () => {
  const run = runOf([recordBatch(10, 19, [record(0, 'a'), record(3, 'b')])], 10);
  expect([run.length, run.offset(1), run.nextOffset]).toEqual([2, 13, 30]);
});

test('a batch that was cut off at its end is fetched again', () => {
  for (let bytes = 0; bytes < batch(3).length; bytes++) {
    const run = runOf([batch(), batch(3).subarray(0, bytes)]);
    expect([run.nextOffset, run.length]).toEqual([3, 3]);
  }
});

test('a batch of 200,000 records is read (P3)', () => {
  const one = record(0, '');
  const many = Array.from({ length: 200_000 }, () => one);
  expect(runOf([recordBatch(0, 199_999, many)]).length).toBe(200_000);
});

test('every bit that the checksum covers counts', () => {
  const bits = fc.integer({ min: 17 * 8, max: batch().length * 8 - 1 });
  fc.assert(
    fc.property(bits, bit => {
      const changed = batch();
      changed[bit >> 3] = changed[bit >> 3]! ^ (1 << (bit & 7));
      expect(() => runOf([changed])).toThrow('t-0 offset 0: the checksum of the record batch is wrong');
    }),
  );
});

test.each([
  ['gzip', 1, gzipSync],
  ['zstd', 4, zstdCompressSync],
])('%s is read', (_, codec, compress) => {
  expect(valuesIn(runOf([compressed(codec, compress(plainRecords), 3), batch(3)]))).toEqual([...VALUES, ...VALUES]); // prettier-ignore
});

test.each([
  ['snappy', 2],
  ['lz4', 3],
])('%s is refused, with the remedy', (name, codec) => {
  const refused = () => runOf([compressed(codec, plainRecords, 3)]);
  expect(refused).toThrow(BrokerError);
  expect(refused).toThrow(`compressed with ${name}, which is not read here: give the topic compression.type`);
});

test('what is no gzip, and what would fill the memory, is refused', () => {
  expect(() => runOf([compressed(1, plainRecords, 3)])).toThrow('the batch cannot be decompressed with gzip');
  const bomb = Buffer.alloc(DECOMPRESSED_BYTES_MAX + 1);
  for (const [codec, bytes] of [
    [1, gzipSync(bomb)],
    [4, zstdCompressSync(bomb)],
  ] as const)
    expect(() => runOf([compressed(codec, bytes, 3)])).toThrow(
      `has more than ${DECOMPRESSED_BYTES_MAX} bytes`,
    );
});

test('a batch of more records than one reader takes at once is refused, with the remedy', () => {
  const tiniest = record(0, '');
  const packed = (count: number): Buffer => compressed(1, gzipSync(Buffer.alloc(count * tiniest.length, tiniest)), count); // prettier-ignore
  expect(runOf([packed(BATCH_RECORDS_MAX)]).length).toBe(BATCH_RECORDS_MAX);
  expect(() => runOf([packed(BATCH_RECORDS_MAX + 1)])).toThrow(
    `the batch has ${BATCH_RECORDS_MAX + 1} records, more than ${BATCH_RECORDS_MAX}: have it written in smaller batches`,
  );
});

test('many batches, each within its limit, do not fill the memory together: the rest is fetched again', () => {
  const large = zstdCompressSync(record(0, 'x'.repeat(DECOMPRESSED_BYTES_ENOUGH / 2)));
  const batches = Array.from({ length: 8 }, (_, i) => {
    const one = compressed(4, large, 1);
    one.writeBigInt64BE(BigInt(i), 0);
    return one;
  });
  const first = runOf(batches);
  expect([first.length, first.nextOffset]).toEqual([2, 2]);
  expect(runOf(batches.slice(2), 2).nextOffset).toBe(4);
});

test('a batch that ends before it begins is an error: nobody could step over it', () => {
  const backwards = recordBatch(5, -3, []);
  expect(() => runOf([backwards], 5)).toThrow('t-0 offset 5: the record batch ends before it begins');
});

test('records of before Kafka 0.11 are refused, with the remedy', () => {
  const old = batch();
  old[16] = 1;
  expect(() => runOf([old])).toThrow('format 1, from before Kafka 0.11: read them with');
});
