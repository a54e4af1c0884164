import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { murmur2Partition } from '../../src/broker/murmur2.ts';
import { acknowledged, bytesOfRecord, Lent, SharedRecord } from '../../src/broker/shared.ts';
import { recordBytesMax, writeBatch } from '../../src/kafka/records/encode.ts';
import { RECORDS_AT } from '../../src/kafka/records/layout.ts';

const HEAD = { producerId: 5n, producerEpoch: 0, baseSequence: 0, transactional: false, timestampMs: 77 };
const bytes = fc.uint8Array({ maxLength: 300 });
const records = fc.array(fc.tuple(bytes, bytes), { minLength: 1, maxLength: 80 });

test('records that share their bytes are, and are written as, records with bytes of their own', () => {
  fc.assert(
    fc.property(records, of => {
      const shared = Buffer.concat(of.flat());
      let at = 0;
      const all = of.map(([key, value]) => {
        const [keyAt, valueAt] = [at, at + key.length];
        at = valueAt + value.length;
        return SharedRecord.of('t', 3, { bytes: shared, keyAt, valueAt, end: at });
      });
      const plain = of.map(([key, value]) => ({ topic: 't', partition: 3, key, value }));
      for (const [i, { key, value }] of plain.entries()) {
        const one = all[i]!;
        expect([one.topic, one.partition]).toEqual(['t', 3]);
        expect([Buffer.from(one.key), Buffer.from(one.value)]).toEqual([
          Buffer.from(key),
          Buffer.from(value),
        ]);
        expect(bytesOfRecord(one)).toBe(bytesOfRecord(plain[i]!));
        expect(recordBytesMax(one)).toBe(recordBytesMax(plain[i]!));
        expect(murmur2Partition(shared, 6, one.keyAt, one.valueAt)).toBe(murmur2Partition(key, 6));
      }
      const [a, b] = [all, plain].map(some => {
        const into = Buffer.alloc(RECORDS_AT + some.reduce((sum, one) => sum + recordBytesMax(one), 0));
        return into.subarray(0, writeBatch(into, 0, some, HEAD));
      });
      expect(a).toEqual(b);
    }),
  );
});

test('a record is used again once it is acknowledged, where its memory was lent, and no other is', () => {
  const lent = new Lent(() => undefined);
  const recordOf = (text: string, of?: Lent): SharedRecord => {
    of?.add();
    return SharedRecord.of('t', 0, { bytes: Buffer.from(text), keyAt: 0, valueAt: 1, end: 2, lent: of });
  };
  const [underWay, gone, own] = [recordOf('ab', lent), recordOf('cd', lent), recordOf('ef')];
  acknowledged([gone, own]);
  acknowledged([gone]); // Told twice it is still one.
  const [next, another] = [recordOf('gh', lent), recordOf('ij', lent)];
  expect([next, another].map(one => [underWay, gone, own].indexOf(one))).toEqual([1, -1]);
  const texts = [underWay, next, another, own].map(({ bytes, keyAt, end }) =>
    Buffer.from(bytes).toString('utf8', keyAt, end),
  );
  expect(texts).toEqual(['ab', 'gh', 'ij', 'ef']);
});
