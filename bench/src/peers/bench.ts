/** `bench peers`: the service beside what its users would otherwise pick, on the same topic in the same run. */
import { topicsOf } from '@millrace/contracts';
import type { PartitionOffset } from '@millrace/stream';
import type { Contestant, Delivery } from '../contestants.ts';
import { type Cost, costOf, disturbance, moreRounds, type Sample } from '../figures.ts';
import { coresOfMachine, type Memory, memoryOf } from '../linux/usage.ts';
import { fillFeatures } from '../load/publish.ts';
import { committedOf, SETTLE_MS, untilAnswered } from '../watch.ts';
import type { BenchWorld } from '../world/open.ts';
import { lastShare, sumOf } from '../world/offsets.ts';
import { pythonCommand } from './build.ts';
import { type ContestantName, lineUp, PEER_TOPICS } from './contestants.ts';
import { isRight, type Judge, openJudge, type Verdict } from './judge.ts';
import { withWorkload, type Workload, type WorkloadOptions } from './workloads.ts';

export interface PeersOptions extends WorkloadOptions {
  readonly delivery: Delivery;
  readonly records: number;
  readonly rounds: number;
  readonly only: readonly ContestantName[];
  /** Writes CPU profiles of the service there; the figures of such a run are not to be used. */
  readonly profile: string | undefined;
}

export interface PeersRound extends Cost, Memory {
  readonly contestant: string;
  /** Over the second half of the records alone: compilers have warmed up by then. */
  readonly warmCpuSecondsPerMillion: number | null;
  readonly disturbed: string | undefined;
  readonly verdict: Verdict;
}

export interface Measured {
  readonly rounds: readonly PeersRound[];
  /** Why a contestant has no figures. */
  readonly left: ReadonlyMap<string, string>;
}

/** Share of the topic that each contestant reads once before anything counts. */
const WARM_UP_SHARE = 0.1;

const half = (samples: readonly Sample[], records: number): number | null => {
  const second = samples.filter(sample => sample.records >= records / 2);
  const [first, last] = [second[0], second.at(-1)];
  if (first === undefined || last === undefined || last.records === first.records) return null;
  return costOf(second, coresOfMachine()).cpuSecondsPerMillion;
};

interface Course {
  readonly world: BenchWorld;
  readonly delivery: Delivery;
  readonly contestant: Contestant;
}

/** At least once, answers are counted on their topic; in transactions by the offsets, as markers stand on the topic too. */
const counter = (
  { world, delivery, contestant }: Course,
  positions: readonly PartitionOffset[],
  outFrom: readonly PartitionOffset[],
): (() => Promise<number>) =>
  delivery === 'exactly-once'
    ? async () => (await committedOf(world, contestant)) - sumOf(positions)
    : async () => sumOf(await world.broker.admin.endOffsets(contestant.outTopic)) - sumOf(outFrom);

/** Lets a contestant answer what lies past `positions`, and hands over what was seen of it. */
const round = async (course: Course, positions: readonly PartitionOffset[], expected: number) => {
  const { world, contestant, delivery } = course;
  const { admin } = world.broker;
  const aside = await admin.endOffsets(topicsOf(world.pipeline).aside);
  await admin.resetOffsets(contestant.nextGroup(), [...positions, ...aside]);
  const outFrom = await admin.endOffsets(contestant.outTopic);
  const child = await contestant.start();
  try {
    const answered = counter(course, positions, outFrom);
    const samples = await untilAnswered(world, child, { answered, expected });
    const memory = memoryOf(child.pid);
    if (delivery === 'exactly-once') await world.clock.sleep(SETTLE_MS, world.signal);
    return { samples, outFrom, memory };
  } finally {
    await child.stop();
  }
};

const judged = async (
  course: Course,
  judge: Judge,
  begin: readonly PartitionOffset[],
  records: number,
): Promise<PeersRound> => {
  const { samples, outFrom, memory } = await round(course, begin, records);
  const cost = costOf(samples, coresOfMachine());
  const verdict = await judge.judge(course.contestant, outFrom);
  return {
    contestant: course.contestant.name,
    ...cost,
    ...memory,
    warmCpuSecondsPerMillion: half(samples, records),
    disturbed: disturbance(cost),
    verdict,
  };
};

const sayRound = (say: (line: string) => void, n: number, one: PeersRound): void =>
  say(
    `${one.contestant}, round ${n}: ${one.recordsPerSecond} records/s, ${one.cpuSecondsPerMillion} CPU s per million` +
      (one.disturbed === undefined ? '' : `, disturbed: ${one.disturbed}`) +
      (isRight(one.verdict) ? '' : `, WRONG: ${JSON.stringify(one.verdict)}`),
  );

const measure = async (world: BenchWorld, workload: Workload, options: PeersOptions): Promise<Measured> => {
  const { records, delivery, rounds: wanted, only, say } = options;
  const python = await pythonCommand(options);
  const { contestants, left } = await lineUp(world, only, options);
  const missing = new Map<string, string>(left);
  const ends = await fillFeatures(world, workload.vectors(), records);
  const begin = ends.map(end => ({ ...end, offset: 0 }));
  say('scoring everything offline');
  const judge = await openJudge(world, python, begin);
  const warmUp = lastShare(ends, WARM_UP_SHARE);
  const done: PeersRound[] = [];
  const of = ({ name }: Contestant) => done.filter(one => one.contestant === name);
  /** One that fails is out, with the reason; the others go on. */
  const attempt = async (contestant: Contestant, go: (course: Course) => Promise<void>): Promise<void> => {
    try {
      await go({ world, delivery, contestant });
    } catch (error) {
      world.signal.throwIfAborted();
      missing.set(contestant.name, (error as Error).message);
      say(`${contestant.name} is out: ${(error as Error).message}`);
    }
  };
  for (const contestant of contestants)
    await attempt(contestant, async course => {
      say(`${contestant.name}: warming up`);
      await round(course, warmUp, sumOf(ends) - sumOf(warmUp));
    });
  const isIn = (contestant: Contestant): boolean =>
    !missing.has(contestant.name) && moreRounds(wanted, [of(contestant)]);
  for (let n = 1; contestants.some(isIn); n++)
    for (const contestant of contestants.filter(isIn))
      await attempt(contestant, async course => {
        const one = await judged(course, judge, begin, records);
        done.push(one);
        sayRound(say, n, one);
      });
  return { rounds: done, left: missing };
};

export const benchPeers = (options: PeersOptions): Promise<Measured> =>
  withWorkload({ ...options, outTopics: PEER_TOPICS }, (world, workload) =>
    measure(world, workload, options),
  );
