import { describe, expect, test } from '@jest/globals';
import { SIMULATED } from '../mutants/simulated.ts';
import { simulateAll } from './crew.ts';
import type { Verdict } from './life.ts';

/** A machine that is busy with other tests may take as long. */
const LIMIT_MS = 300_000;
const SEEDS_MAX = 2_000;

describe('a protection taken out is seen', () => {
  const names = ['commits-the-position', ...SIMULATED.map(({ name }) => name)];
  test.each(names)(
    '%s',
    async defect => {
      const violated: Verdict[] = [];
      await simulateAll({
        from: 1,
        count: SEEDS_MAX,
        untilFound: true,
        defect,
        withStacks: false,
        workers: 1,
        signal: new AbortController().signal,
        onVerdict: verdict => {
          if (verdict.violations.length > 0) violated.push(verdict);
        },
      });
      expect(violated.length).toBeGreaterThan(0);
    },
    LIMIT_MS,
  );
});
