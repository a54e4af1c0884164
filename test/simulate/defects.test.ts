import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { SIMULATED } from '../mutants/simulated.ts';
import { simulateAll } from './crew.ts';
import { INVARIANTS, type Invariant, isOf } from './invariants.ts';

/** A machine that is busy with other tests may take as long. */
const LIMIT_MS = 300_000;
const SEEDS_MAX = 2_000;

const rowsOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    [...text.matchAll(/^\|[^|]+\| `([\w-]+)` +\|[^|]+\| ([^|]+)\|$/gm)].map(row => [row[1]!, row[2]!.trim()]),
  );

describe('a protection taken out is seen', () => {
  test.each(SIMULATED.map(({ name, violates }) => [name, violates] as const))(
    '%s as: %s',
    async (defect, violates) => {
      const found = new AbortController();
      const broken: string[] = [];
      await simulateAll({
        from: 1,
        count: SEEDS_MAX,
        untilFound: false,
        defect,
        withStacks: false,
        workers: 1,
        signal: found.signal,
        onVerdict: ({ violations }) => {
          broken.push(...violations.filter(text => !INVARIANTS.some(invariant => isOf(invariant, text))));
          if (violations.some(text => isOf(violates, text))) found.abort();
        },
      });
      expect(found.signal.aborted).toBe(true);
      // A judge that trips over what it finds says nothing of it.
      expect(broken).toEqual([]);
    },
    LIMIT_MS,
  );

  test('of each invariant', () => {
    const violated = new Set<Invariant>(SIMULATED.map(({ violates }) => violates));
    expect(INVARIANTS.filter(invariant => !violated.has(invariant))).toEqual([]);
  });

  test('as the manual says', () => {
    const manual = readFileSync(join(import.meta.dirname, '../../docs/SIMULATION.md'), 'utf8');
    expect(rowsOf(manual)).toEqual(new Map(SIMULATED.map(({ name, violates }) => [name, violates])));
  });
});
