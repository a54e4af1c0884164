/** Watches a contestant at work: what comes out, and what that costs. */
import { topicsOf } from '@millrace/contracts';
import type { Child } from '@millrace/localstack';
import type { Contestant, Joiner } from './contestants.ts';
import type { Sample } from './figures.ts';
import { cpuSecondsOf, machineCpuSeconds, runQueueSecondsOf } from './linux/usage.ts';
import type { BenchWorld } from './world/open.ts';
import { sumOf } from './world/offsets.ts';

const POLL_MS = 100;
const READY_MS_MAX = 60_000;
/** Longest time without any new answer. */
const STILL_MS_MAX = 60_000;

/** One look at a contestant, the broker and the machine. */
export const sampleOf = (world: BenchWorld, child: Child, records: number): Sample => {
  const cpuS = cpuSecondsOf(child.pid);
  const brokerCpuS = cpuSecondsOf(world.brokerPid);
  const { user, system } = process.cpuUsage();
  return {
    atMs: performance.now(),
    records,
    cpuS,
    runQueueS: runQueueSecondsOf(child.pid),
    brokerCpuS,
    othersCpuS: machineCpuSeconds() - cpuS - brokerCpuS - (user + system) / 1e6,
  };
};

const failedToStart = (child: Child): Error =>
  new Error(`${child.name} ended by itself; its log: ${child.logFile}`);

/** Waits until it has joined its group. */
export const untilReady = async (world: BenchWorld, contestant: Joiner, child: Child): Promise<void> => {
  let over = false;
  void child.ended.then(() => (over = true));
  const end = world.clock.now() + READY_MS_MAX;
  while (!(await contestant.ready())) {
    if (over) throw failedToStart(child);
    if (world.clock.now() > end) throw new Error(`${child.name} is not ready after ${READY_MS_MAX} ms`);
    await world.clock.sleep(POLL_MS, world.signal);
  }
};

/**
 * Records of a topic that its group has committed, answers and all. Ends of the topic with the answers would count the
 * markers of transactions, too.
 */
export const committedOf = async (
  { broker, pipeline }: BenchWorld,
  contestant: Contestant,
): Promise<number> => sumOf(await broker.admin.committed(contestant.group(), [topicsOf(pipeline).features]));

/** What is waited for: `answered` counts, from nothing, until it is `expected`. */
export interface Awaiting {
  readonly expected: number;
  answered(): Promise<number>;
}

/** Samples until all is answered. @throws Error when it ends or stands still before */
export const untilAnswered = async (
  world: BenchWorld,
  child: Child,
  asked: Awaiting,
): Promise<readonly Sample[]> => {
  const { clock, signal } = world;
  const samples: Sample[] = [];
  let over = false;
  void child.ended.then(() => (over = true));
  let movedMs = clock.now();
  let seen = 0;
  while (seen < asked.expected) {
    if (over) throw failedToStart(child);
    const records = await asked.answered();
    if (records > seen) {
      samples.push(sampleOf(world, child, records));
      seen = records;
      movedMs = clock.now();
    }
    if (clock.now() - movedMs > STILL_MS_MAX)
      throw new Error(
        `${child.name} stands still after ${seen} of ${asked.expected}; its log: ${child.logFile}`,
      );
    if (seen < asked.expected) await clock.sleep(POLL_MS, signal);
  }
  return samples;
};
