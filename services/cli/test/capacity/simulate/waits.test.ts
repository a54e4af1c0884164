import { expect, test } from '@jest/globals';
import { Waits } from '../../../src/capacity/simulate/waits.ts';

test('quantiles are at most 1 % too large, the mean and the most are exact', () => {
  const waits = new Waits();
  for (let ms = 1; ms <= 1_000; ms++) waits.add(ms, 2);
  expect(waits.meanMs).toBe(500.5);
  expect(waits.mostMs).toBe(1_000);
  for (const q of [0.01, 0.5, 0.99, 1]) {
    expect(waits.quantileMs(q)).toBeGreaterThanOrEqual(q * 1_000 - 1e-9);
    expect(waits.quantileMs(q)).toBeLessThanOrEqual(q * 1_000 * 1.01);
  }
});

test('nothing counted is no wait', () => {
  expect(new Waits().quantileMs(0.99)).toBeNaN();
  expect(new Waits().meanMs).toBeNaN();
});
