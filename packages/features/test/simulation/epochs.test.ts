import { describe, expect, test } from '@jest/globals';
import { simulate, simulateAgain } from './simulate.ts';
import type { Mutant } from './world.ts';

const SEEDS = 300;

describe('three stages with crashes, skew, idle partitions and clocks that step back', () => {
  test(`equal a sequential fold over the recorded epochs, exactly once, in ${SEEDS} seeds`, () => {
    let crashes = 0;
    let events = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const verdict = simulate(seed);
      expect({ seed, faults: verdict.faults }).toEqual({ seed, faults: [] });
      expect(verdict.vectors).toBe(verdict.events);
      crashes += verdict.crashes;
      events += verdict.events;
    }
    expect(crashes).toBeGreaterThan(SEEDS * 5);
    expect(events).toBeGreaterThan(SEEDS * 100);
  });
});

const MUTANTS: readonly Mutant[] = [
  'commits-the-position',
  'commits-the-lowest-row',
  'one-sort-over-several',
  'forgets-how-far-it-had-read',
  'head-after-the-commit',
  'idle-sources-do-not-mark',
  'idle-sources-always-mark',
  'releases-in-fold-order',
];

describe('a rule taken away shows', () => {
  test.each(MUTANTS)('%s', mutant => {
    let seed = 1;
    while (seed <= SEEDS && simulate(seed, mutant).faults.length === 0) seed++;
    expect(seed).toBeLessThanOrEqual(SEEDS);
  });
});

describe('one task that stands still', () => {
  // The run that was being read when the pause came may add as many epochs as it has records.
  const RECORDS_PER_READ = 5;

  test('holds the others within a few epochs, and all comes right when it goes on', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const { faults, aheadTooFar } = simulate(seed, 'none', true);
      expect({ seed, faults }).toEqual({ seed, faults: [] });
      expect(aheadTooFar).toBeLessThanOrEqual(RECORDS_PER_READ);
    }
  });

  test('without pauses they run away', () => {
    const runs = Array.from({ length: 20 }, (_, seed) => simulate(seed + 1, 'never-pauses', true));
    expect(Math.max(...runs.map(run => run.aheadTooFar))).toBeGreaterThan(2 * RECORDS_PER_READ);
  });
});

describe('a past that is replayed before the live stream goes on', () => {
  test(`equals one fold of all of it in the common order, in ${SEEDS} seeds`, () => {
    let crashes = 0;
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { faults, idealDiffers, bumped, ...verdict } = simulate(seed, 'none', false, 'replay');
      expect({ seed, faults, idealDiffers }).toEqual({ seed, faults: [], idealDiffers: 0 });
      expect(verdict.vectors).toBe(verdict.events);
      expect(bumped).toBeLessThan(verdict.events);
      crashes += verdict.crashes;
    }
    expect(crashes).toBeGreaterThan(SEEDS * 5);
  });

  test('with its disorder understated some come too late, which is counted, and nothing is lost', () => {
    const runs = Array.from({ length: 40 }, (_, seed) =>
      simulate(seed + 1, 'none', false, 'replay-understated'),
    );
    for (const { faults } of runs) expect(faults).toEqual([]);
    expect(runs.some(({ idealDiffers }) => idealDiffers > 0)).toBe(true);
    expect(runs.filter(({ bumped }) => bumped === 0).every(({ idealDiffers }) => idealDiffers === 0)).toBe(
      true,
    );
  });

  test.each(['commits-the-position', 'one-sort-over-several', 'forgets-how-far-it-had-read'] as const)(
    'without the rule it does not: %s',
    mutant => {
      let seed = 1;
      const isRight = (): boolean => {
        const { faults, idealDiffers } = simulate(seed, mutant, false, 'replay');
        return faults.length === 0 && idealDiffers === 0;
      };
      while (seed <= SEEDS && isRight()) seed++;
      expect(seed).toBeLessThanOrEqual(SEEDS);
    },
  );
});

describe('a stretch run again by its recorded epochs, and then live', () => {
  test.each(['live', 'replay'] as const)(
    'has the same vectors to the last bit, whatever the turns and crashes: %s',
    beginning => {
      let again = 0;
      let vectors = 0;
      for (let seed = 1; seed <= 75; seed++) {
        const first = simulate(seed, 'none', false, beginning);
        const second = simulateAgain(seed + 10_000, first.world);
        expect({ seed, faults: second.faults }).toEqual({ seed, faults: [] });
        again += second.again;
        vectors += second.vectors;
      }
      expect(again).toBeGreaterThan(vectors / 4);
      expect(again).toBeLessThan(vectors);
    },
  );
});
