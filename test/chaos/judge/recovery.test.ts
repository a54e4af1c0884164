import { describe, expect, test } from '@jest/globals';
import { type Fault, recoveryMs, recoveryOf, silenceMs, spreadOfTakeOvers, takeOversOf } from './recovery.ts';

const steady = (from: number, until: number): number[] =>
  Array.from({ length: (until - from) / 100 }, (_, i) => from + i * 100);
const fault = (beganMs: number, endedMs = beganMs, more: Partial<Fault> = {}): Fault => ({
  what: '',
  beganMs,
  endedMs,
  counts: 'from-end',
  watched: [],
  ...more,
});

describe('recovery', () => {
  test('of a kill: until the record that ends the silence', () => {
    const times = [...steady(0, 1_000), ...steady(7_000, 9_000)];
    expect(recoveryMs(times, fault(1_000))).toBe(6_000);
  });

  test('of an outage: from its end; nothing where work went on before that', () => {
    const times = [...steady(0, 1_000), ...steady(12_500, 14_000)];
    expect(recoveryMs(times, fault(1_000, 11_000))).toBe(1_500);
    const early = [...steady(0, 1_000), ...steady(5_000, 14_000)];
    expect(recoveryMs(early, fault(1_000, 11_000))).toBe(0);
  });

  test('of one that others are to take over from: from its beginning', () => {
    const times = [...steady(0, 1_000), ...steady(7_000, 20_000)];
    expect(recoveryMs(times, fault(1_000, 11_000, { counts: 'from-beginning' }))).toBe(6_000);
  });

  test('does not pass over a silence at the end of a fault for a longer one within it', () => {
    const times = [...steady(0, 1_000), ...steady(9_000, 10_000), ...steady(15_000, 20_000)];
    expect(recoveryMs(times, fault(1_000, 11_000))).toBe(4_000);
  });

  test('counts a silence to its end, also where another fault begins meanwhile', () => {
    const times = new Map([[0, [...steady(0, 1_000), ...steady(9_000, 15_000)]]]);
    expect(recoveryOf([fault(1_000), fault(5_000)], times)).toEqual({ p50: 4, max: 8, count: 2, never: 0 });
  });

  test('a pause long after the fault, or one no longer than the grain of the load, is not its doing', () => {
    const times = [...steady(0, 20_000), ...steady(25_000, 26_000)];
    expect(recoveryMs(times, fault(1_000))).toBe(0);
  });

  test('is without end where nothing came afterwards, and told', () => {
    expect(recoveryMs(steady(0, 1_000), fault(1_000))).toBe(Number.POSITIVE_INFINITY);
    const times = new Map([[0, steady(0, 9_000)], [1, []]]); // prettier-ignore
    expect(recoveryOf([fault(1_000)], times)).toEqual({ p50: 0, max: Number.POSITIVE_INFINITY, count: 2, never: 1 });
  }); // prettier-ignore

  test('over faults and partitions: the median and the worst; not of those that are not to be counted', () => {
    const quick = [...steady(0, 1_000), ...steady(3_000, 9_000)];
    const slow = [...steady(0, 1_000), ...steady(6_000, 9_000)];
    const found = recoveryOf(
      [fault(1_000), fault(1_000, 8_500, { counts: 'not' })],
      new Map([[0, quick], [1, quick], [2, slow]]),
    ); // prettier-ignore
    expect(found).toEqual({ p50: 2, max: 5, count: 3, never: 0 });
  });
});

describe('silence', () => {
  test('counts from the fault where it begins with it, though something was still under way', () => {
    const times = [...steady(0, 1_400), ...steady(7_000, 20_000)];
    expect(silenceMs(times, fault(1_000))).toBe(6_000);
    expect(silenceMs(times, fault(1_000, 12_000))).toBe(6_000);
  });

  test('is the longest while a fault lasts, and counts from its own beginning where that is later', () => {
    const times = [...steady(0, 5_100), ...steady(9_000, 10_100), ...steady(12_000, 90_000)];
    expect(silenceMs(times, fault(1_000, 60_000))).toBe(4_000);
    expect(silenceMs(steady(0, 9_000), fault(1_000, 5_000))).toBe(0);
    expect(silenceMs([], fault(1_000))).toBe(Number.POSITIVE_INFINITY);
  });
});

test('a take-over is counted for the partitions of who ended, and for no others', () => {
  const untouched = steady(0, 20_000);
  const times = new Map([
    [0, untouched],
    [1, [...steady(0, 1_000), ...steady(7_000, 20_000)]],
    [2, [...steady(0, 1_000), ...steady(9_000, 20_000)]],
  ]);
  const watched = [{ name: 'inference, kill -9', partitions: [1, 2] }];
  const found = takeOversOf([fault(1_000, 1_000, { watched }), fault(15_000)], times);
  expect(found).toEqual([
    { of: 'inference, kill -9', partition: 1, seconds: 6 },
    { of: 'inference, kill -9', partition: 2, seconds: 8 },
  ]);
  expect(spreadOfTakeOvers(found)).toEqual({
    'inference, kill -9': {
      p50: 6, max: 8, count: 2, never: 0,
      partitions: { 1: { p50: 6, max: 6, count: 1, never: 0 }, 2: { p50: 8, max: 8, count: 1, never: 0 } },
    },
  }); // prettier-ignore
});
