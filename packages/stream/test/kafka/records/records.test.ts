import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { BrokerError, type OutRecord } from '../../../src/broker/port.ts';
import type { FetchedPartition } from '../../../src/kafka/internals.ts';
import { recordBytesMax, writeBatch } from '../../../src/kafka/records/encode.ts';
import { RECORDS_AT } from '../../../src/kafka/records/layout.ts';
import { fetchedRun } from '../../../src/kafka/run.ts';
import { stockRun } from '../../../src/kafka/stock.ts';
import { recordsOf } from '../../broker/harness.ts';
import { decodeFetched, record, recordBatch } from '../patch/load.ts';
import { fetched, runOf, sealed } from './fetched.ts';

const bytes = fc.uint8Array({ maxLength: 90 });
const out = fc.record({
  topic: fc.constant('t'),
  partition: fc.constant(0),
  key: fc.option(bytes),
  value: fc.option(bytes),
  headers: fc.array(fc.tuple(fc.string({ unit: 'grapheme', maxLength: 9 }), bytes), { maxLength: 4 }),
});
const LOG_APPEND_TIME = 0x08;

/** As a broker stores it: at its offset, and with its own time where the topic says so. */
const stored = (
  records: readonly OutRecord[],
  baseOffset: number,
  appendTimeMs: number | undefined,
): Buffer => {
  const into = Buffer.alloc(RECORDS_AT + records.reduce((sum, one) => sum + recordBytesMax(one), 0));
  const head = { producerId: 5n, producerEpoch: 0, baseSequence: 0, transactional: false, timestampMs: 77 };
  const batch = into.subarray(0, writeBatch(into, 0, records, head));
  batch.writeBigInt64BE(BigInt(baseOffset), 0);
  if (appendTimeMs === undefined) return batch;
  batch.writeInt16BE(LOG_APPEND_TIME, 21);
  batch.writeBigInt64BE(BigInt(appendTimeMs), 35);
  return sealed(batch);
};

const log = fc
  .array(
    fc.record({
      records: fc.array(out, { minLength: 1, maxLength: 70 }),
      gap: fc.nat(5),
      appendTimeMs: fc.option(fc.nat(2 ** 42), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map(batches => {
    let next = 2 ** 40;
    return batches.map(({ records, gap, appendTimeMs }) => {
      const at = next + gap;
      next = at + records.length;
      return { bytes: stored(records, at, appendTimeMs), records, at, appendTimeMs };
    });
  });

test('what is read is what was written', () => {
  fc.assert(
    fc.property(log, batches => {
      const run = fetchedRun(fetched(batches.map(one => one.bytes)), 0);
      let i = 0;
      for (const { records, at, appendTimeMs } of batches)
        for (const [delta, one] of records.entries()) {
          expect(run.offset(i)).toBe(at + delta);
          expect(run.appendTimeMs(i)).toBe(appendTimeMs ?? 77);
          expect(run.key(i)).toEqual(one.key === null ? null : Buffer.from(one.key));
          const place = { bytes: new Uint8Array(0), from: 0, to: 0 };
          expect(run.keyIn!(i, place)).toBe(one.key !== null);
          expect(place.bytes.subarray(place.from, place.to)).toEqual(Buffer.from(one.key ?? []));
          expect(run.value(i)).toEqual(one.value === null ? null : Buffer.from(one.value));
          expect(run.headers(i)).toEqual(one.headers.map(([name, of]) => [name, Buffer.from(of)]));
          i++;
        }
      expect(run.length).toBe(i);
    }),
  );
});

test('kafkajs sees the same in the same bytes, from and to any offset', async () => {
  await fc.assert(
    fc.asyncProperty(log, fc.nat(90), fc.nat(90), async (batches, skip, take) => {
      const raw = fetched(batches.map(one => one.bytes));
      const from = 2 ** 40 + skip;
      const messages = (await decodeFetched(batches.map(one => one.bytes))) as unknown as FetchedPartition['messages']; // prettier-ignore
      const decoded = { partition: 0, highWatermark: '100', lastStableOffset: '100', abortedTransactions: [], messages }; // prettier-ignore
      const stock = stockRun('t', from, decoded, from + take);
      const own = fetchedRun(raw, from, from + take);
      expect(recordsOf(own)).toEqual(recordsOf(stock));
      expect([own.length, own.bytes, own.nextOffset, own.highWatermark]).toEqual([stock.length, stock.bytes, stock.nextOffset, stock.highWatermark]); // prettier-ignore
    }),
  );
});

test('bytes that are no records are an error of ours, whatever they are', () => {
  const body = fc.uint8Array({ minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(body, fc.integer({ min: -1, max: 2 ** 31 - 1 }), (garbage, count) => {
      const batch = recordBatch(0, 0, [Buffer.from(garbage)]);
      batch.writeInt32BE(count, 57);
      try {
        const run = runOf([sealed(batch)]);
        for (let i = 0; i < run.length; i++) run.headers(i);
      } catch (error) {
        expect(error).toBeInstanceOf(BrokerError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('headers end with their record, whatever their count says', () => {
  const one = record(0, 'v', [['a', '1']]);
  // Behind length, attributes, time, offset, key, length of the value and the value: how many headers there are.
  one[7] = 4;
  // The second header would have the next record for its name, and the one behind that for its value.
  const run = runOf([recordBatch(0, 2, [one, record(1, 'w'), record(2, 'x', [['b', '2']])])]);
  expect(() => run.headers(0)).toThrow('offset 0: the bytes of the headers are none');
  expect(run.headers(2)).toHaveLength(1);
});

test('a record beyond its batch is no record', () => {
  for (const delta of [-1, 2])
    expect(() => runOf([recordBatch(9, 1, [record(0, 'v'), record(delta, 'w')])])).toThrow('are no records');
});

test('headers: names like members of an object, order, names that repeat (P2)', () => {
  const headers = [
    ['__proto__', 'p'],
    ['b', '1'],
    ['7', '2'],
    ['b', '3'],
    ['a', ''],
  ] as const;
  const run = runOf([recordBatch(0, 0, [record(0, 'v', headers)])]);
  expect(recordsOf(run)[0]!.headers).toEqual(headers);
  expect(run.header(0, 'b')?.toString()).toBe('1');
  expect(run.header(0, 'constructor')).toBeUndefined();
});

test('thousands of headers are read (P2)', () => {
  const many = Array.from({ length: 8_000 }, (_, i) => [`h${i}`, 'x'] as const);
  const run = runOf([recordBatch(0, 0, [record(0, 'v', many)])]);
  expect(run.headers(0)).toHaveLength(8_000);
  expect(run.header(0, 'h7999')?.toString()).toBe('x');
});

test('keys and values are Buffers, which codecs ask for', () => {
  const one = { topic: 't', partition: 0, key: Uint8Array.of(1), value: Uint8Array.of(2) };
  const run = fetchedRun(fetched([stored([one], 0, undefined)]), 0);
  expect([Buffer.isBuffer(run.key(0)), Buffer.isBuffer(run.value(0))]).toEqual([true, true]);
});

test('values are said to begin alike where they do, and have so many bytes', () => {
  const value = fc.option(fc.uint8Array({ maxLength: 7, max: 1 }));
  const values = fc.array(value, { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(values, values, fc.nat(6), (first, second, bytes) => {
      const records = [...first, ...second].map(one => ({ topic: 't', partition: 0, key: null, value: one }));
      const batches = [stored(records.slice(0, first.length), 0, undefined), stored(records.slice(first.length), first.length, undefined)]; // prettier-ignore
      const run = fetchedRun(fetched(batches), 0);
      const beginning = (i: number) => {
        const found = run.value(i);
        return found === null || found.length < bytes
          ? undefined
          : Buffer.from(found.subarray(0, bytes)).toString('hex');
      };
      for (let i = 0; i < run.length; i++)
        expect(run.beginAlike!(0, i, bytes)).toBe(
          beginning(0) !== undefined && beginning(0) === beginning(i),
        );
    }),
  );
});
