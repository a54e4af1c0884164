import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  COUNT, KNOWN_AT, LIVE, OFFSET, PARTITION, REVISION, SEQUENCE, SUM, TIME, totalsAt, UNTIL,
} from '../../src/windows/columns.ts'; // prettier-ignore
import { Leaf } from '../../src/windows/leaf.ts';
import type { NewRow } from '../../src/windows/row.ts';

const MEASURES = 3;
const seldom = <T>(usual: T, else_: T): fc.Arbitrary<T> =>
  fc.oneof({ weight: 19, arbitrary: fc.constant(usual) }, fc.constant(else_));

const rows: fc.Arbitrary<NewRow[]> = fc
  .array(
    fc.record({
      time: fc.integer({ min: 0, max: 40 }),
      sequence: fc.integer({ min: 0, max: 2 }),
      partition: seldom(7, 5),
      revision: seldom(0, 2),
      knownAt: seldom(Number.NEGATIVE_INFINITY, 9),
      until: seldom(Number.POSITIVE_INFINITY, 30),
      live: seldom(true, false),
      x: fc.integer({ min: -9, max: 9 }),
      y: seldom(4, Number.NaN),
    }),
    { maxLength: 40 },
  )
  .map(all =>
    all.map(({ x, y, ...row }, i) => ({ ...row, id: `e${i}`, offset: i, numbers: [1, x, y], texts: [] })),
  );

const inOrder = (a: NewRow, b: NewRow): number =>
  a.time - b.time || a.sequence - b.sequence || a.partition - b.partition || a.offset - b.offset;
const doesCount = ({ live, until }: NewRow): boolean => live && until === Number.POSITIVE_INFINITY;

/** What the first rows come to, worked out plainly. */
const totalsOf = (some: readonly NewRow[]): readonly number[] => {
  const totals = Array.from({ length: 2 * MEASURES }, () => 0);
  for (const row of some.filter(doesCount))
    for (let m = 0; m < MEASURES; m++) {
      const value = row.numbers[m]!;
      if (Number.isNaN(value)) continue;
      totals[totalsAt(m, COUNT)]! += 1;
      totals[totalsAt(m, SUM)]! += value;
    }
  return totals;
};

const isAs = (leaf: Leaf, expected: readonly NewRow[]): void => {
  expect(leaf.length).toBe(expected.length);
  expected.forEach((row, i) => {
    const of = [TIME, SEQUENCE, PARTITION, OFFSET, REVISION, KNOWN_AT, UNTIL, LIVE].map(column => leaf.at(i, column)); // prettier-ignore
    const { time, sequence, partition, offset, revision, knownAt, until, live } = row;
    expect(of).toEqual([time, sequence, partition, offset, revision, knownAt, until, live ? 1 : 0]);
    expect([0, 1, 2].map(m => leaf.valueAt(i, m))).toEqual([...(row.numbers as number[])]);
    expect(leaf.countsNow(i)).toBe(doesCount(row));
    expect(leaf.ids[i]).toBe(row.id);
  });
  for (let count = 0; count <= expected.length; count++) {
    const into = new Float64Array(2 * MEASURES);
    leaf.addTo(into, count, 1);
    const totals = [...into];
    expect(totals).toEqual(totalsOf(expected.slice(0, count)));
    for (let m = 0; m < MEASURES; m++)
      expect([leaf.upTo(count, m, COUNT), leaf.upTo(count, m, SUM)]).toEqual(totals.slice(2 * m, 2 * m + 2));
  }
};

test('rows say what was put in, however many of them are unlike the others, and whatever becomes of them', () => {
  fc.assert(
    fc.property(rows, fc.nat(), fc.boolean(), (all, nth, isAsked) => {
      const leaf = new Leaf(0, 6, MEASURES);
      let expected: NewRow[] = [];
      for (const row of all) {
        leaf.insert(row);
        expected = [...expected, row].sort(inOrder);
        if (isAsked) leaf.upTo(leaf.length, 1, SUM);
      }
      isAs(leaf, expected);
      leaf.trim();
      isAs(leaf, expected);
      if (expected.length === 0) return;
      const at = nth % expected.length;
      leaf.supersede(at, 50);
      expected = expected.with(at, { ...expected[at]!, until: 50 });
      isAs(leaf, expected);
      leaf.remove(at);
      expected = expected.toSpliced(at, 1);
      isAs(leaf, expected);
      const [before, after] = leaf.halves();
      isAs(before, expected.filter(({ time }) => time < 32)); // prettier-ignore
      isAs(after, expected.filter(({ time }) => time >= 32)); // prettier-ignore
    }),
    { numRuns: 300 },
  );
});
