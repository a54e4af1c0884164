import { describe, expect, test } from '@jest/globals';
import {
  costOf,
  disturbance,
  median,
  moreRounds,
  OTHERS_SHARE_MAX,
  OTHERS_SHARE_NOTICED,
  percentile,
  percentilesOf,
  ratio,
  RUN_QUEUE_SHARE_MAX,
  type Sample,
  summed,
} from '../src/figures.ts';

const sample = (given: Partial<Sample>): Sample => ({
  atMs: 0,
  records: 0,
  cpuS: 0,
  runQueueS: 0,
  brokerCpuS: 0,
  othersCpuS: 0,
  ...given,
});

describe('the cost of a run', () => {
  test('counts from the first answer seen to the last, and what came before is left out', () => {
    const cost = costOf(
      [
        sample({ atMs: 1_000, cpuS: 5, othersCpuS: 90 }),
        sample({ atMs: 3_000, records: 10_000, cpuS: 6, runQueueS: 1, brokerCpuS: 2, othersCpuS: 100 }),
        sample({ atMs: 4_000, records: 50_000, cpuS: 7, runQueueS: 1.2, brokerCpuS: 2.1, othersCpuS: 100.1 }),
        sample({
          atMs: 5_000,
          records: 110_000,
          cpuS: 8,
          runQueueS: 1.5,
          brokerCpuS: 2.5,
          othersCpuS: 100.4,
        }),
      ],
      2,
    );
    expect(cost).toEqual({
      records: 100_000,
      seconds: 2,
      recordsPerSecond: 50_000,
      cpuSecondsPerMillion: 20,
      brokerCpuSecondsPerMillion: 5,
      cores: 1,
      runQueueShare: 0.25,
      othersShare: 0.1,
    });
  });

  test('nothing can be said of a run that was seen once', () => {
    expect(() => costOf([sample({ atMs: 1, records: 100 })], 2)).toThrow(RangeError);
    expect(() => costOf([], 2)).toThrow(RangeError);
  });
});

describe('disturbed rounds', () => {
  test('others at work', () => {
    expect(disturbance({ runQueueShare: 0, othersShare: OTHERS_SHARE_MAX })).toBeUndefined();
    expect(disturbance({ runQueueShare: 0, othersShare: 0.2 })).toBe('others used 20 % of the machine');
  });

  test('a main thread that waited for a core, unless nobody else was there to wait for', () => {
    const at = (runQueueShare: number, othersShare: number) => disturbance({ runQueueShare, othersShare });
    expect(at(RUN_QUEUE_SHARE_MAX, 0.05)).toBeUndefined();
    expect(at(0.3, OTHERS_SHARE_NOTICED)).toBeUndefined();
    expect(at(0.3, 0.05)).toBe('waited for a core 30 % of the time while others were at work');
  });

  const rounds = [
    { rate: 100, disturbed: undefined },
    { rate: 10, disturbed: 'others used 90 % of the machine' },
    { rate: 200, disturbed: undefined },
  ];

  test('count for nothing, unless there are no others', () => {
    expect(summed(['rate'], rounds)).toEqual({
      medians: { rate: 150 },
      rounds: 3,
      rejected: 1,
      trusted: true,
    });
    expect(summed(['rate'], rounds.slice(1, 2))).toEqual({
      medians: { rate: 10 },
      rounds: 1,
      rejected: 1,
      trusted: false,
    });
  });

  test('are made up for, within a limit', () => {
    const of = (...disturbed: boolean[]) => disturbed.map(d => ({ disturbed: d ? 'noise' : undefined }));
    expect(moreRounds(2, [[], []])).toBe(true);
    expect(moreRounds(2, [of(false, false), of(false, true)])).toBe(true);
    expect(moreRounds(2, [of(false, false, false), of(false, true, false)])).toBe(false);
    expect(moreRounds(2, [of(true, true, true, true), of(true, true, true, true)])).toBe(false);
  });
});

describe('percentiles', () => {
  test('by nearest rank', () => {
    const values = [15, 20, 35, 40, 50];
    expect([0.05, 0.3, 0.4, 0.5, 1].map(share => percentile(values, share))).toEqual([15, 20, 20, 35, 50]);
    expect(percentile([], 0.5)).toBeNaN();
  });

  test('of values in any order', () => {
    const values = Float64Array.from({ length: 1_000 }, (_, i) => ((i * 7) % 1_000) + 1);
    expect(percentilesOf(values)).toEqual({ p50: 500, p95: 950, p99: 990, p999: 999, max: 1_000 });
  });
});

test('medians and ratios', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeNaN();
  expect(ratio(1, 4)).toBe(0.25);
  expect(ratio(1, 0)).toBeNaN();
});
