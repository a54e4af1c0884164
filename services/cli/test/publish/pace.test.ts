import { expect, test } from '@jest/globals';
import type { Clock } from '@millrace/telemetry';
import { type Pace, paced } from '../../src/publish/pace.ts';

/** A clock that sleeping moves at once. */
const leaping = (): Clock => {
  let now = 1_000_000;
  return {
    now: () => now,
    sleep: ms => {
      now += ms;
      return Promise.resolve();
    },
  };
};

const run = async (times: readonly number[], pace: Pace): Promise<{ at: number; size: number }[]> => {
  const clock = leaping();
  const batches: { at: number; size: number }[] = [];
  for await (const batch of paced(times, pace, t => t, clock, new AbortController().signal))
    batches.push({ at: clock.now() - 1_000_000, size: batch.length });
  return batches;
};

test('without a pace records come in full batches, all of them', async () => {
  const batches = await run(
    Array.from({ length: 2500 }, (_, i) => i),
    {},
  );
  expect(batches.map(b => b.size)).toEqual([1000, 1000, 500]);
});

test('a rate spreads records over time', async () => {
  const batches = await run(
    Array.from({ length: 100 }, () => 0),
    { rate: 50 },
  );
  expect(batches.reduce((sum, b) => sum + b.size, 0)).toBe(100);
  expect(batches.at(-1)!.at).toBeGreaterThanOrEqual(1970);
  expect(batches.at(-1)!.at).toBeLessThanOrEqual(2000);
});

test('a speed-up follows event time', async () => {
  const batches = await run([0, 1000, 1001, 60_000], { speedup: 10 });
  expect(batches.map(b => b.size)).toEqual([1, 2, 1]);
  expect(batches.at(-1)!.at).toBe(6000);
});
