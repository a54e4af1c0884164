import { expect, test } from '@jest/globals';
import { aftermathOf, type Passage } from '../../src/instances/aftermath.ts';

const KILLED_MS = 10_000;

/** A record each 10 ms from 0 to 30 s, answered after 20 ms, but by a worker that stands still for a while and then takes one a millisecond. */
const load = (stillFromMs: number, stillForMs: number): readonly Passage[] => {
  let freeMs = 0;
  return Array.from({ length: 3_000 }, (_, i) => {
    const appendedMs = i * 10;
    const isStill = appendedMs >= stillFromMs && appendedMs < stillFromMs + stillForMs;
    freeMs = Math.max(freeMs + 1, appendedMs + 20, isStill ? stillFromMs + stillForMs : 0);
    return { appendedMs, seenMs: freeMs };
  });
};

test('a stop of five seconds: waits, lag, and the time until the backlog is gone', () => {
  const { mostMs, lagMost, caughtUpMs } = aftermathOf(load(KILLED_MS, 5_000), KILLED_MS, 30_000);
  expect(mostMs).toBe(5_000);
  // 500 came meanwhile; two of before were under way.
  expect(lagMost).toBeGreaterThanOrEqual(499);
  expect(lagMost).toBeLessThanOrEqual(503);
  // 500 records at 1,000 a second, while 100 a second come: 500 / 900 s after the stop.
  expect(caughtUpMs).toBeGreaterThan(5_000 + 530);
  expect(caughtUpMs).toBeLessThan(5_000 + 580);
});

test('what was before the kill is not of it', () => {
  const { mostMs, lagBefore, lagMost, caughtUpMs } = aftermathOf(load(2_000, 3_000), KILLED_MS, 30_000);
  expect([mostMs, lagBefore, lagMost]).toEqual([20, 2, 2]);
  expect(caughtUpMs).toBe(10);
});

test('a load that ends before all is caught up says so', () => {
  const { caughtUpMs } = aftermathOf(load(KILLED_MS, 5_000), KILLED_MS, 15_300);
  expect(caughtUpMs).toBeUndefined();
});

test.each([
  ['soon', 12_000, 2_500],
  ['long after', 15_000, 1_000],
])('lag that comes back %s', (_, againMs, caughtUpAfterMs) => {
  const twice = load(KILLED_MS, 1_000).map((one, i) => {
    const again = one.appendedMs >= againMs && one.appendedMs < againMs + 500;
    return again ? { ...one, seenMs: againMs + 520 + i / 1_000 } : one;
  });
  const { caughtUpMs } = aftermathOf(twice, KILLED_MS, 30_000);
  // The first stop is over after 1.1 s; what comes within a second of it is still of it.
  expect(caughtUpMs).toBeGreaterThan(caughtUpAfterMs);
  expect(caughtUpMs).toBeLessThan(caughtUpAfterMs + 200);
});
