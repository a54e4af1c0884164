/**
 * A consumer group over hours, in fixed steps of simulated time: records arrive on partitions, instances work them off,
 * each at its own rate and its partitions in turn, and stand still as `group.ts` says. Lag and waits come out. It has no
 * clock, and no randomness but what is handed in: the same arguments give the same figures.
 */
import type { SeededRandom } from '@millrace/pipelines';
import { type Arrivals, drawn } from './arrivals.ts';
import { type Change, Group, type Pauses } from './group.ts';
import { Queue } from './queue.ts';
import { Waits } from './waits.ts';

export interface Course {
  readonly partitions: number;
  readonly instances: number;
  /** Most that one instance does, records/s. */
  readonly rateMax: number;
  readonly pauses: Pauses;
  readonly arrivals: Arrivals;
  /** Share of all records that has to go to partition 0, beside its part of the others. */
  readonly hotKeyShare: number;
  /** Records that wait at the beginning, spread as those that come. */
  readonly backlog: number;
  readonly changes: readonly Change[];
  readonly untilMs: number;
  readonly stepMs: number;
  readonly sampleEveryMs: number;
  /** Arrivals as Poisson has them; undefined: exactly as many as are expected. */
  readonly random: SeededRandom | undefined;
}

export interface Sample {
  readonly atMs: number;
  readonly rate: number;
  readonly lag: number;
  /** How long the oldest record waits by then. */
  readonly oldestMs: number;
  readonly working: number;
}

/** What became of the lag after something happened. */
export interface Aftermath {
  readonly atMs: number;
  readonly what: string;
  /** Until the lag was what it had been; undefined where it was not by the end. */
  readonly caughtUpMs: number | undefined;
}

export interface Outcome {
  readonly arrived: number;
  readonly done: number;
  readonly lag: number;
  readonly lagMost: number;
  readonly lagMostAtMs: number;
  readonly waits: { readonly meanMs: number; readonly p50Ms: number; readonly p99Ms: number; readonly mostMs: number };
  readonly samples: readonly Sample[];
  readonly aftermath: readonly Aftermath[];
} // prettier-ignore

/** Works off one step of an instance: its partitions get equal parts, and what one leaves goes to the others. */
const workStep = (
  queues: readonly Queue[],
  rateMax: number,
  stepMs: number,
  nowMs: number,
  waits: Waits,
): number => {
  const msPerRecord = 1_000 / rateMax;
  let budget = stepMs / msPerRecord;
  let usedMs = 0;
  let waiting = queues.filter(queue => queue.total > 0);
  let done = 0;
  while (waiting.length > 0 && budget > 1e-9) {
    const part = budget / waiting.length;
    for (const queue of waiting) {
      const taken = queue.take(part, (atMs, count) => {
        // Of records that are worked off one after the other: the mean of their ends.
        waits.add(nowMs + usedMs + ((count + 1) * msPerRecord) / 2 - atMs, count);
        usedMs += count * msPerRecord;
      });
      budget -= taken;
      done += taken;
    }
    waiting = waiting.filter(queue => queue.total > 0);
  }
  return done;
};

/** Follows the lag after each thing that happened, until it is what it was. */
class Aftermaths {
  readonly #open: { readonly atMs: number; readonly what: string; readonly lag: number; hasRisen: boolean; caughtUpMs?: number }[] = [];

  begin(atMs: number, what: string, lag: number): void {
    this.#open.push({ atMs, what, lag, hasRisen: false });
  }

  /** @param slack records that say nothing: those of two steps */
  see(nowMs: number, lag: number, slack: number): void {
    for (const one of this.#open) {
      if (one.caughtUpMs !== undefined) continue;
      if (lag > one.lag + slack) one.hasRisen = true;
      else if (one.hasRisen) one.caughtUpMs = nowMs - one.atMs;
    }
  }

  get all(): readonly Aftermath[] {
    return this.#open.map(({ atMs, what, hasRisen, caughtUpMs }) => ({ atMs, what, caughtUpMs: hasRisen ? caughtUpMs : 0 }));
  }
} // prettier-ignore

export const runCourse = (course: Course): Outcome => {
  const { partitions, stepMs, rateMax, random, arrivals, hotKeyShare, untilMs } = course;
  const shares = Array.from(
    { length: partitions },
    (_, p) => (1 - hotKeyShare) / partitions + (p === 0 ? hotKeyShare : 0),
  );
  const queues = shares.map(() => new Queue());
  const group = new Group(partitions, course.instances, course.pauses);
  const changes = course.changes.toSorted((a, b) => a.atMs - b.atMs);
  const waits = new Waits();
  const aftermaths = new Aftermaths();
  const samples: Sample[] = [];
  const lagNow = (): number => queues.reduce((sum, queue) => sum + queue.total, 0);
  let [arrived, done, lagMost, lagMostAtMs, next] = [course.backlog, 0, 0, 0, 0];
  if (course.backlog > 0) aftermaths.begin(0, `backlog of ${course.backlog}`, 0);
  for (const [p, queue] of queues.entries()) queue.add(0, course.backlog * shares[p]!);
  for (let step = 0; step * stepMs < untilMs; step++) {
    const nowMs = step * stepMs;
    for (; next < changes.length && changes[next]!.atMs <= nowMs; next++) {
      const { what, instance } = changes[next]!;
      aftermaths.begin(nowMs, `${what} ${instance}`, lagNow());
      group.apply({ atMs: nowMs, what, instance });
    }
    group.passTo(nowMs);
    const rate = arrivals(nowMs);
    for (const [p, queue] of queues.entries()) {
      const count = drawn((rate * stepMs * shares[p]!) / 1_000, random);
      queue.add(nowMs, count);
      arrived += count;
    }
    const working = group.working(nowMs);
    for (const owned of working.values())
      done += workStep(
        owned.map(p => queues[p]!),
        rateMax,
        stepMs,
        nowMs,
        waits,
      );
    const lag = lagNow();
    if (lag > lagMost) [lagMost, lagMostAtMs] = [lag, nowMs];
    aftermaths.see(nowMs, lag, (2 * rate * stepMs) / 1_000);
    if (nowMs >= samples.length * course.sampleEveryMs) {
      const oldest = Math.min(...queues.map(({ oldestMs }) => oldestMs ?? Number.POSITIVE_INFINITY));
      samples.push({ atMs: nowMs, rate, lag, oldestMs: Number.isFinite(oldest) ? nowMs + stepMs - oldest : 0, working: working.size });
    }
  }
  const [p50Ms, p99Ms] = [waits.quantileMs(0.5), waits.quantileMs(0.99)];
  return {
    arrived,
    done,
    lag: lagNow(),
    lagMost,
    lagMostAtMs,
    waits: { meanMs: waits.meanMs, p50Ms, p99Ms, mostMs: waits.mostMs },
    samples,
    aftermath: aftermaths.all,
  };
}; // prettier-ignore
