import { describe, expect, test } from '@jest/globals';
import { credit, loans } from '@millrace/pipelines';
import fc from 'fast-check';
import { coefficientsFor, measuredBy } from '../../src/capacity/coefficients.ts';
import { featureWait, inferenceWait, loadFor, p99At, type Wait } from '../../src/capacity/latency.ts';
import { markersPerS, shapeOf } from '../../src/capacity/wish.ts';
import { wishOf } from './wishes.ts';

const SHIPPED = measuredBy(coefficientsFor());
const wait = (fixedMs: number, waitMs: number, measuredLoad = 0): Wait => ({
  fixedMs,
  fixedBy: 'x',
  waitMs,
  measuredLoad,
});

describe('waits', () => {
  test('rounds of f + n a come to rest at f / (1 - r a)', () => {
    const [f, a, rate] = [12, 0.01, 80];
    let round = f;
    for (let i = 0; i < 200; i++) round = f + round * rate * a;
    expect(p99At(wait(0, f), rate * a)).toBeCloseTo(round, 6);
  });

  test('at the load at which it was measured it is what was measured, and at full load without end', () => {
    expect(p99At(wait(25, 70, 0.3), 0.3)).toBeCloseTo(95, 9);
    expect(p99At(wait(25, 70, 0.3), 1)).toBe(Number.POSITIVE_INFINITY);
  });

  test('the load for a wish gives the wish back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 900 }), (fixed, idle, more) => {
        const waits = [wait(fixed, idle, 0.1), wait(10, 5)];
        const p99 = fixed + 10 + idle * 0.9 + 5 + more;
        const load = loadFor(waits, p99);
        expect(waits.reduce((sum, one) => sum + p99At(one, load), 0)).toBeCloseTo(p99, 6);
      }),
    ); // prettier-ignore
    expect(loadFor([wait(100, 5)], 100)).toBeLessThan(0);
  });

  test.each([
    [20, 98],
    [100, 153],
    [500, 536],
  ])('inference with an interval of %i ms at 5,000/s: within a fifth of the %i ms measured', (commitIntervalMs, ms) => {
    const rateMax = SHIPPED('inference.exactlyOnceRateMax');
    const found = p99At(inferenceWait(wishOf({ commitIntervalMs }), SHIPPED, rateMax), 5_000 / rateMax);
    expect(Math.abs(found / ms - 1)).toBeLessThan(0.2);
  }); // prettier-ignore

  test('epochs are waited for where there are several keys, or one over several streams', () => {
    const shape = shapeOf(wishOf().pipeline);
    expect(shape).toEqual({ keys: 2, aggregations: 12, features: 15, hopsBetween: 2, epochMs: 100 });
    expect(featureWait(shape, SHIPPED, 1e4).fixedMs).toBe(110);
    expect(featureWait({ ...shape, epochMs: undefined }, SHIPPED, 1e4).fixedMs).toBe(0);
    // Loans are one stream; credit reads a table beside its clients, and commits an epoch once.
    expect(shapeOf(loans)).toMatchObject({ keys: 1, hopsBetween: 0, epochMs: undefined });
    const withTable = shapeOf(credit);
    expect(withTable).toMatchObject({ keys: 1, hopsBetween: 0, epochMs: 100 });
    expect(featureWait(withTable, SHIPPED, 1e4)).toMatchObject({
      fixedMs: 110,
      waitMs: SHIPPED('feature.oneKeyWaitMs'),
    });
    expect([markersPerS(withTable, 6), markersPerS(shape, 6)]).toEqual([0, 360]);
  });
});
