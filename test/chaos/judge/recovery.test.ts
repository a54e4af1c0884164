import { describe, expect, test } from '@jest/globals';
import { recoveryMs, recoveryOf } from './recovery.ts';

const steady = (from: number, until: number): number[] =>
  Array.from({ length: (until - from) / 100 }, (_, i) => from + i * 100);
const NEVER = Number.POSITIVE_INFINITY;

describe('recovery', () => {
  test('of a kill: until the record that ends the silence', () => {
    const times = [...steady(0, 1_000), ...steady(7_000, 9_000)];
    expect(recoveryMs(times, { what: '', beganMs: 1_000, endedMs: 1_000 }, NEVER)).toBe(6_000);
  });

  test('of an outage: from its end; nothing where work went on before that', () => {
    const times = [...steady(0, 1_000), ...steady(12_500, 14_000)];
    expect(recoveryMs(times, { what: '', beganMs: 1_000, endedMs: 11_000 }, NEVER)).toBe(1_500);
    const early = [...steady(0, 1_000), ...steady(5_000, 14_000)];
    expect(recoveryMs(early, { what: '', beganMs: 1_000, endedMs: 11_000 }, NEVER)).toBe(0);
  });

  test('a pause long after the fault, or one no longer than the grain of the load, is not its doing', () => {
    const times = [...steady(0, 20_000), ...steady(25_000, 26_000)];
    expect(recoveryMs(times, { what: '', beganMs: 1_000, endedMs: 1_000 }, NEVER)).toBe(0);
  });

  test('is unknown where nothing came afterwards', () => {
    expect(recoveryMs(steady(0, 1_000), { what: '', beganMs: 1_000, endedMs: 1_000 }, NEVER)).toBeUndefined();
  });

  test('over faults and partitions: the median and the worst', () => {
    const quick = [...steady(0, 1_000), ...steady(3_000, 9_000)];
    const slow = [...steady(0, 1_000), ...steady(6_000, 9_000)];
    const found = recoveryOf(
      [{ what: 'kill', beganMs: 1_000, endedMs: 1_000 }],
      new Map([[0, quick], [1, quick], [2, slow]]),
    ); // prettier-ignore
    expect(found).toEqual({ p50: 2, max: 5, count: 3 });
  });
});
