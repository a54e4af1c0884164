/** Watches a contestant at work: what comes out, and what that costs. */
import { topicsOf } from '@millrace/contracts';
import type { Child } from '@millrace/localstack';
import type { Contestant } from './contestants.ts';
import type { Sample } from './figures.ts';
import { cpuSecondsOf, machineCpuSeconds, runQueueSecondsOf } from './linux/usage.ts';
import type { BenchWorld } from './world/open.ts';
import type { Service } from './world/service.ts';
import { sumOf } from './world/offsets.ts';

const POLL_MS = 100;
/** Both are of a crowded machine: nobody else waits so long. */
const READY_MS_MAX = 180_000;
/** Longest time without any new answer, from the start on. */
const STILL_MS_MAX = 180_000;
/** A program that commits by checkpoints ends its last transaction a moment after its offsets. */
export const SETTLE_MS = 2_000;

/** A process that is measured. */
export interface Watched {
  readonly pid: number;
  cpuSeconds(): number;
}

export const watched = ({ pid }: { readonly pid: number }): Watched => ({
  pid,
  cpuSeconds: () => cpuSecondsOf(pid),
});

/** One look at processes that work together, the broker and the machine: a sample of each, to none of which the rest are others. */
export const samplesOf = (
  { brokerPid }: BenchWorld,
  processes: readonly Watched[],
  records: number,
): readonly Sample[] => {
  const cpus = processes.map(one => one.cpuSeconds());
  const brokerCpuS = cpuSecondsOf(brokerPid);
  const { user, system } = process.cpuUsage();
  const ofRunS = cpus.reduce((sum, one) => sum + one, brokerCpuS + (user + system) / 1e6);
  const common = { atMs: performance.now(), records, brokerCpuS, othersCpuS: machineCpuSeconds() - ofRunS };
  return processes.map(({ pid }, i) => ({ ...common, cpuS: cpus[i]!, runQueueS: runQueueSecondsOf(pid) }));
};

/** One look at a contestant that is one process. */
export const sampleOf = (world: BenchWorld, child: Child, records: number): Sample =>
  samplesOf(world, [watched(child)], records)[0]!;

const failedToStart = (child: Child): Error =>
  new Error(`${child.name} ended by itself; its log: ${child.logFile}`);

/** Waits until it has joined its group. */
export const untilReady = async (
  world: BenchWorld,
  contestant: Pick<Service, 'ready'>,
  child: Child,
): Promise<void> => {
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

/** Looks each time that more is answered, until all is. @throws Error when one of them ends or all stands still before */
export const untilAllAnswered = async <T>(
  { clock, signal }: Pick<BenchWorld, 'clock' | 'signal'>,
  children: readonly Child[],
  asked: Awaiting,
  look: (records: number) => T,
): Promise<readonly T[]> => {
  const looks: T[] = [];
  let ended: Child | undefined;
  for (const child of children) void child.ended.then(() => (ended = child));
  let movedMs = clock.now();
  let seen = 0;
  while (seen < asked.expected) {
    if (ended !== undefined) throw failedToStart(ended);
    const records = await asked.answered();
    if (records > seen) {
      looks.push(look(records));
      seen = records;
      movedMs = clock.now();
    }
    if (clock.now() - movedMs > STILL_MS_MAX) {
      const who = children.map(({ name, logFile }) => `${name} (its log: ${logFile})`).join(', ');
      throw new Error(`stands still after ${seen} of ${asked.expected}: ${who}`);
    }
    if (seen < asked.expected) await clock.sleep(POLL_MS, signal);
  }
  return looks;
};

/** The same of one process, as samples of it. */
export const untilAnswered = (world: BenchWorld, child: Child, asked: Awaiting): Promise<readonly Sample[]> =>
  untilAllAnswered(world, [child], asked, records => sampleOf(world, child, records));
