/** The model of a group against what is known in closed form. */
import { describe, expect, test } from '@jest/globals';
import { seededRandom } from '@millrace/pipelines';
import fc from 'fast-check';
import { planOf } from '../../../src/capacity/plan.ts';
import { inSteps, steady } from '../../../src/capacity/simulate/arrivals.ts';
import { inTurn } from '../../../src/capacity/simulate/changes.ts';
import { type Course, runCourse } from '../../../src/capacity/simulate/run.ts';
import { ROUND, wishOf } from '../wishes.ts';

const courseOf = (changes: Partial<Course>): Course => ({
  partitions: 6,
  instances: 2,
  rateMax: 5_000,
  pauses: { sessionMs: 6_000, rebalanceMs: 200, takeoverMs: 700, restoreMsPerPartition: 0 },
  arrivals: steady(4_000),
  hotKeyShare: 0,
  backlog: 0,
  changes: [],
  untilMs: 60_000,
  stepMs: 10,
  sampleEveryMs: 1_000,
  random: undefined,
  ...changes,
});

describe('fluid limits', () => {
  test.each([
    [100_000, 1, 4_000, 100_000 / 1_000],
    [30_000, 3, 4_000, 30_000 / 11_000],
    [500_000, 2, 0, 50],
  ])('a backlog of %i, %i instances, %i records/s: caught up after backlog / (service - arrivals)', (backlog, instances, rate, seconds) => {
    const { aftermath, done, lag } = runCourse(courseOf({ backlog, instances, arrivals: steady(rate), untilMs: 150_000 }));
    expect(Math.abs(aftermath[0]!.caughtUpMs! / 1_000 - seconds)).toBeLessThan(0.1);
    expect(done).toBeCloseTo(backlog + rate * 150 - lag, 3);
  }); // prettier-ignore

  test('more than can be done: lag grows by the difference', () => {
    const { lag, lagMost } = runCourse(courseOf({ arrivals: steady(12_000) }));
    expect(lag).toBeCloseTo(2_000 * 60, 0);
    expect(lagMost).toBeCloseTo(lag, 6);
  });

  test('a burst of an hour is worked off in time', () => {
    const burst = inSteps([
      { fromMs: 0, rate: 1_000 },
      { fromMs: 60_000, rate: 15_000 },
      { fromMs: 120_000, rate: 1_000 },
    ]);
    const { lagMost, lagMostAtMs, samples } = runCourse(courseOf({ arrivals: burst, untilMs: 200_000 }));
    expect(lagMost).toBeCloseTo(5_000 * 60, -1);
    expect(Math.abs(lagMostAtMs - 120_000)).toBeLessThanOrEqual(20);
    const empty = samples.find(({ atMs, lag }) => atMs > 120_000 && lag < 20)!;
    expect(Math.abs(empty.atMs - (120_000 + 300_000 / 9))).toBeLessThanOrEqual(1_010);
  });

  test('the hottest entity is worked off by one instance alone', () => {
    const { lag } = runCourse(courseOf({ partitions: 6, instances: 6, arrivals: steady(10_000), hotKeyShare: 0.6 }));
    // Partition 0 gets 0.6 and a sixth of 0.4, and 5,000 are what one instance does.
    expect(lag).toBeCloseTo((10_000 * (0.6 + 0.4 / 6) - 5_000) * 60, 0);
  }); // prettier-ignore
});

describe('one of two is killed', () => {
  const kill = courseOf({ changes: inTurn([{ atMs: 10_000, backAfterMs: undefined }], 2) });

  test('its partitions stand still for session and take-over, and the other catches up', () => {
    const { aftermath, lagMost, lagMostAtMs, waits } = runCourse(kill);
    // 2,000 records/s for 6.7 s wait, and go down by 1,000 each second.
    expect(Math.abs(lagMost - 2_000 * 6.7)).toBeLessThan(60);
    expect(Math.abs(lagMostAtMs - 16_700)).toBeLessThanOrEqual(20);
    expect(Math.abs(aftermath[0]!.caughtUpMs! - (6_700 + 13_400))).toBeLessThan(100);
    expect(Math.abs(waits.mostMs - 6_700)).toBeLessThan(20);
  });

  test('as the plan has it', () => {
    const { plan } = planOf(wishOf({ rate: 4_000, services: ['inference'], instances: 2, modelUs: 200, loadMax: 0.9 }), ROUND);
    const { loss } = plan!.services[0]!;
    const pauses = { ...kill.pauses, takeoverMs: 1_000 };
    const { aftermath, lagMost } = runCourse({ ...kill, pauses });
    expect(Math.abs(lagMost / loss.backlog - 1)).toBeLessThan(0.01);
    expect(Math.abs(aftermath[0]!.caughtUpMs! / 1_000 - loss.stillS - loss.catchUpS)).toBeLessThan(0.1);
  }); // prettier-ignore

  test('state that is restored is waited for, partition after partition', () => {
    const pauses = { ...kill.pauses, restoreMsPerPartition: 2_000 };
    expect(Math.abs(runCourse({ ...kill, pauses }).waits.mostMs - (6_700 + 6_000))).toBeLessThan(20);
  });
});

/** Share of customers of M/D/1 that wait at most t for their service of length 1. Erlang 1909. */
const waitsAtMost = (load: number, t: number): number => {
  let sum = 0;
  for (let k = 0, factorial = 1; k <= Math.floor(t); k++, factorial *= k)
    sum += (Math.exp(load * (t - k)) * (load * (k - t)) ** k) / factorial;
  return (1 - load) * sum;
};

describe('one server, random arrivals, equal service: M/D/1', () => {
  test.each([0.5, 0.8])('at a load of %f waits are those of Pollaczek and Khinchine, and of Erlang', load => {
    const rateMax = 1_000;
    const { waits } = runCourse(courseOf({
      partitions: 1, instances: 1, rateMax, arrivals: steady(load * rateMax), random: seededRandom(11), stepMs: 0.2, untilMs: 30_000,
    })); // prettier-ignore
    const mean = 1 + load / (2 * (1 - load));
    expect(Math.abs(waits.meanMs / mean - 1)).toBeLessThan(0.05);
    // Records are divisible here, which the tail does not feel; what is left is chance, some 1,000 busy times being few.
    expect(Math.abs(waitsAtMost(load, waits.p99Ms - 1) - 0.99)).toBeLessThan(0.008);
  });
});

describe('whatever happens', () => {
  const courses = fc
    .record({
      partitions: fc.integer({ min: 1, max: 12 }),
      instances: fc.integer({ min: 1, max: 5 }),
      rate: fc.integer({ min: 0, max: 20_000 }),
      backlog: fc.integer({ min: 0, max: 50_000 }),
      seed: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }),
      kills: fc.array(fc.record({ atMs: fc.integer({ min: 0, max: 30_000 }), backAfterMs: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }) }), { maxLength: 6 }),
    })
    .map(({ partitions, instances, rate, backlog, seed, kills }) => ({
      ...courseOf({ partitions, instances, backlog, arrivals: steady(rate), stepMs: 50, untilMs: 40_000, changes: inTurn(kills, instances) }),
      seed,
    })); // prettier-ignore
  const run = ({ seed, ...course }: Course & { seed: number | undefined }) =>
    runCourse({ ...course, random: seed === undefined ? undefined : seededRandom(seed) });

  test('what came is done or waits, and the same seed takes the same course', () => {
    fc.assert(
      fc.property(courses, course => {
        const one = run(course);
        expect(Math.abs(one.arrived - one.done - one.lag)).toBeLessThan(1e-6 * (1 + one.arrived));
        expect(Math.min(...one.samples.map(({ lag }) => lag))).toBeGreaterThanOrEqual(0);
        expect(one.lagMost).toBeGreaterThanOrEqual(one.lag - 1e-6);
        expect(run(course)).toEqual(one);
      }),
      { numRuns: 25 },
    );
  });

  test('faster instances never leave more', () => {
    fc.assert(
      fc.property(courses, course => {
        expect(run({ ...course, rateMax: 7_000 }).lagMost).toBeLessThanOrEqual(run(course).lagMost + 1e-6);
      }),
      { numRuns: 25 },
    );
  });

  test("lag is rate times wait, in the mean (Little's law)", () => {
    const { samples, waits } = runCourse(courseOf({ arrivals: steady(8_500), random: seededRandom(4), stepMs: 0.05, sampleEveryMs: 0.05, untilMs: 2_000 }));
    const lag = samples.reduce((sum, one) => sum + one.lag, 0) / samples.length;
    // A record waits for its end, and half of it is done by then.
    const waitMs = waits.meanMs - 1_000 / 5_000 / 2;
    expect(Math.abs((waitMs * 8.5) / lag - 1)).toBeLessThan(0.1);
  }); // prettier-ignore
});
