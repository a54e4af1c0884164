import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@millrace/pipelines';
import { drawn, inSteps, overDay, steady } from '../../../src/capacity/simulate/arrivals.ts';

const DAY_MS = 86_400_000;

describe('arrivals', () => {
  test.each([1, 1.3, 2, 4, 20, 50])('a day with a peak of %f times its mean has both', times => {
    const day = overDay(100, 100 * times);
    const rates = Array.from({ length: 1_440 }, (_, minute) => day(minute * 60_000));
    expect(rates.reduce((sum, rate) => sum + rate) / rates.length).toBeCloseTo(100, 4);
    expect(Math.max(...rates)).toBeCloseTo(100 * times, 4);
    expect(rates[720]).toBe(Math.max(...rates));
    expect(day(0)).toBeCloseTo(day(DAY_MS), 9);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0);
  });

  test('a peak below the mean, and one that no day has, are refused', () => {
    expect(() => overDay(100, 99)).toThrow(RangeError);
    expect(() => overDay(100, 5_001)).toThrow('1 to 50 times');
  });

  test('steps hold from their time on', () => {
    const steps = inSteps([{ fromMs: 10, rate: 5 }, { fromMs: 20, rate: 7 }]); // prettier-ignore
    expect([0, 10, 19, 20, 1e9].map(steps)).toEqual([0, 5, 5, 7, 7]);
    expect(steady(3)(1e6)).toBe(3);
  });

  test.each([0.3, 20, 400])('Poisson with mean %f has its mean and variance', mean => {
    const random = seededRandom(5);
    const found = Array.from({ length: 20_000 }, () => drawn(mean, random));
    const average = found.reduce((sum, n) => sum + n) / found.length;
    const variance = found.reduce((sum, n) => sum + (n - average) ** 2, 0) / found.length;
    expect(Math.abs(average / mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.05);
    expect(drawn(mean, undefined)).toBe(mean);
  });
});
