import { describe, expect, test } from '@jest/globals';
import { type CrewOptions, simulateAll } from './crew.ts';
import type { Verdict } from './life.ts';
import { Report } from './report.ts';

/** A machine that is busy with other tests may take as long. */
const LIMIT_MS = 600_000;
const SEEDS = 300;

const simulated = async (options: Partial<CrewOptions>): Promise<readonly Verdict[]> => {
  const verdicts: Verdict[] = [];
  await simulateAll({
    from: 1,
    count: SEEDS,
    untilFound: false,
    defect: undefined,
    withStacks: false,
    workers: 1,
    signal: new AbortController().signal,
    onVerdict: verdict => verdicts.push(verdict),
    ...options,
  });
  return verdicts;
};

describe('feature and inference on the broker in memory', () => {
  test(
    `keep every invariant in ${SEEDS} seeds`,
    async () => {
      const report = new Report();
      for (const verdict of await simulated({})) report.add(verdict);
      expect(report.violated).toEqual([]);
      const { seeds, crashes, zombies, stops, rebalances, lost, engines, full } = report.totals;
      const { redriven, redrivesKilled, clockSteps } = report.totals;
      expect(seeds).toBe(SEEDS);
      for (const faults of [crashes, zombies, lost, rebalances]) expect(faults).toBeGreaterThan(SEEDS);
      for (const faults of [stops, engines, full, redriven, clockSteps])
        expect(faults).toBeGreaterThan(SEEDS / 4);
      expect(redrivesKilled).toBeGreaterThan(SEEDS / 10);
    },
    LIMIT_MS,
  );

  test(
    'take the same course under the same seed',
    async () => {
      const courses = async (): Promise<readonly string[]> =>
        (await simulated({ count: 20 })).map(({ seed, hash }) => `${seed} ${hash}`);
      const first = await courses();
      expect(new Set(first).size).toBe(20);
      expect(await courses()).toEqual(first);
    },
    LIMIT_MS,
  );
});
