import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { CommitSize } from '../../src/processor/commitSize.ts';

const LIMITS = { recordsMax: 50_000, bytesMax: 1_000_000 };
/** A broker whose commits cost this, asked until it is known. */
const after = (perRecordMs: number, endMs: number, limits = LIMITS): CommitSize => {
  const size = new CommitSize(limits);
  for (let i = 0; i < 200; i++)
    size.observe({ records: size.recordsMark, sendMs: size.recordsMark * perRecordMs, endMs });
  return size;
};

describe('the size of a commit', () => {
  test('is the most allowed until something is known, and when it took no time', () => {
    expect(new CommitSize(LIMITS).recordsMark).toBe(50_000);
    expect(after(0, 5).recordsMark).toBe(50_000);
  });

  test('grows until its end is a tenth of the whole', () => {
    expect(after(0.01, 5).recordsMark / 4_500).toBeCloseTo(1, 3);
    expect(after(0.01, 10).recordsMark / 9_000).toBeCloseTo(1, 3);
  });

  test('is never smaller than is worth a commit, unless sending that much would take too long', () => {
    expect(after(0.01, 0).recordsMark).toBe(500);
    expect(after(10, 0).recordsMark).toBe(200);
    expect(after(10, 5_000).recordsMark).toBe(200);
    expect(after(100_000, 0).recordsMark).toBe(1);
  });

  test('follows when the broker becomes slower, and faster again', () => {
    const size = after(0.01, 5);
    const observe = (perRecordMs: number): void => {
      for (let i = 0; i < 60; i++)
        size.observe({ records: size.recordsMark, sendMs: size.recordsMark * perRecordMs, endMs: 5 });
    };
    observe(1);
    expect(size.recordsMark).toBeLessThanOrEqual(501);
    observe(0.01);
    expect(size.recordsMark).toBeGreaterThan(4_000);
  });

  test('a commit without records says nothing', () => {
    const size = new CommitSize(LIMITS);
    size.observe({ records: 0, sendMs: 0, endMs: 500 });
    expect(size.recordsMark).toBe(50_000);
  });

  test('stays within its limits, whatever was seen, and a cut is at most twice the mark', () => {
    const cost = fc.record({ records: fc.nat(100_000), sendMs: fc.nat(60_000), endMs: fc.nat(60_000) });
    fc.assert(
      fc.property(fc.array(cost), fc.integer({ min: 1, max: 10_000 }), (costs, recordsMax) => {
        const size = new CommitSize({ ...LIMITS, recordsMax });
        for (const one of costs) size.observe(one);
        expect(Number.isInteger(size.recordsMark)).toBe(true);
        expect(size.recordsMark).toBeGreaterThanOrEqual(1);
        expect(size.recordsMark).toBeLessThanOrEqual(recordsMax);
        expect(size.cutMax).toEqual({ records: 2 * size.recordsMark, bytes: 2_000_000 });
      }),
    );
  });
});
