import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { record, recordBatch } from '../patch/load.ts';
import { byProducer, marker, runOf, TRANSACTIONAL, valuesIn } from './fetched.ts';

const data = (offset: number, producerId: number): Buffer =>
  byProducer(recordBatch(offset, 0, [record(0, `${offset}`)], TRANSACTIONAL), producerId);
const aborted = (...list: (readonly [number, number])[]) => ({
  aborted: list.map(([producerId, firstOffset]) => ({ producerId: BigInt(producerId), firstOffset })),
});

test('aborts that ended in another order than they began are all dropped (P1)', () => {
  const batches = [data(0, 1), data(1, 2), data(2, 1), marker(3, 2, 'abort'), marker(4, 1, 'abort')];
  expect(valuesIn(runOf(batches, 0, aborted([2, 1], [1, 0])))).toEqual([]);
});

test('a batch past the beginning of two aborted transactions is not the end of one (P1)', () => {
  // The first record of each was compacted away: one step passes both beginnings.
  const batches = [data(5, 2), data(6, 1), marker(7, 1, 'abort'), marker(8, 2, 'abort'), data(9, 3)];
  expect(valuesIn(runOf(batches, 5, aborted([1, 0], [2, 1])))).toEqual(['9']);
});

test('a record whose key looks like an abort marker does not end the transaction (P1)', () => {
  const lookalike = Buffer.from([22, 0, 0, 0, 8, 0, 0, 0, 0, 2, 120, 0]);
  const batches = [
    data(0, 1),
    byProducer(recordBatch(1, 0, [lookalike], TRANSACTIONAL), 1),
    data(2, 1),
    marker(3, 1, 'abort'),
    data(4, 1),
    marker(5, 1, 'commit'),
  ];
  const run = runOf(batches, 0, aborted([1, 0]));
  expect(valuesIn(run)).toEqual(['4']);
  expect(run.nextOffset).toBe(6);
});

test('whatever the interleaving: records of committed transactions, and those of no transaction, nothing else', () => {
  const step = fc.record({ producer: fc.nat(3), what: fc.constantFrom('send', 'send', 'commit', 'abort') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const batches: Buffer[] = [];
      const open = new Map<number, { first: number; values: string[] }>();
      const ended: (readonly [number, number])[] = [];
      const visible: string[] = [];
      for (const { producer, what } of steps) {
        const offset = batches.length;
        // Producer 0 knows no transactions.
        if (producer === 0) {
          batches.push(byProducer(recordBatch(offset, 0, [record(0, `${offset}`)]), 0));
          visible.push(`${offset}`);
          continue;
        }
        const held = open.get(producer) ?? { first: offset, values: [] };
        if (what === 'send') {
          open.set(producer, held);
          held.values.push(`${offset}`);
          batches.push(data(offset, producer));
        } else if (open.delete(producer)) {
          batches.push(marker(offset, producer, what === 'abort' ? 'abort' : 'commit'));
          if (what === 'abort') ended.push([producer, held.first]);
          else visible.push(...held.values);
        }
      }
      // A read_committed reader gets nothing from where the oldest open transaction begins.
      const stable = Math.min(batches.length, ...[...open.values()].map(({ first }) => first));
      const run = runOf(batches.slice(0, stable), 0, aborted(...ended.filter(([, first]) => first < stable)));
      const expected = visible.map(Number).filter(offset => offset < stable);
      expect(valuesIn(run).map(Number)).toEqual(expected.sort((a, b) => a - b));
      expect(run.nextOffset).toBe(stable);
    }),
  );
});
