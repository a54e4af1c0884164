/** `bench latency`: how long a vector waits for its answer at a steady rate, beside the plain way or the other way to deliver. */
import { topicsOf } from '@millrace/contracts';
import type { PartitionOffset } from '@millrace/stream';
import { account, type Answer, offlineScores } from './check.ts';
import { type Against, BASELINE_TOPIC, contestantsOf, type Joiner } from './contestants.ts';
import {
  type Cost,
  costOf,
  disturbance,
  moreRounds,
  type Percentiles,
  percentilesOf,
  ratio,
  type Summed,
  summed,
} from './figures.ts';
import { appendTimes, follow, MARKERS_MS, Sightings } from './follow.ts';
import { areRight, type BothJudged, wrongsOf } from './judged.ts';
import { coresOfMachine, type Memory, memoryOf } from './linux/usage.ts';
import { type Load, paced } from './load/publish.ts';
import { type JudgedBy, judgedBy, type Judging, judgingBy, openJudge } from './peers/judge.ts';
import { withWorkload, type Workload, type WorkloadOptions } from './peers/workloads.ts';
import { committedOf, sampleOf, untilAnswered, untilReady } from './watch.ts';
import type { BenchWorld } from './world/open.ts';
import { sumOf } from './world/offsets.ts';

export interface LatencyOptions extends WorkloadOptions {
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly against: Against;
  /** Writes CPU profiles of the service there; the figures of such a run are not to be used. */
  readonly profile: string | undefined;
}

export interface LatencyRound extends Cost, Memory, Percentiles, BothJudged {
  readonly contestant: string;
  readonly disturbed: string | undefined;
}

const FIGURES = [
  'p50',
  'p95',
  'p99',
  'p999',
  'max',
  'cores',
  'cpuSecondsPerMillion',
  'recordsPerSecond',
  'rssMaxMb',
  'anonymousMb',
] as const;
type Figure = (typeof FIGURES)[number];

export interface LatencyResult extends JudgedBy {
  readonly bench: 'latency';
  readonly workload: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly millrace: Summed<Figure>;
  readonly against: Against;
  readonly other: Summed<Figure>;
  /** Millrace over the other. */
  readonly ratios: { readonly p50: number; readonly p99: number; readonly cores: number };
  readonly correct: boolean;
  readonly rounds: readonly LatencyRound[];
}

/** The rate runs that long before anything counts. */
const WARM_UP_S = 5;

interface Setting {
  readonly load: Load;
  readonly scores: Float32Array;
  readonly judging: Judging;
  readonly options: LatencyOptions;
}

/** Runs the rate against one contestant: first what warms up, then what counts. */
const drive = async (
  world: BenchWorld,
  contestant: Joiner,
  first: number,
  inFrom: readonly PartitionOffset[],
  { load, options }: Setting,
) => {
  const { broker, clock, signal } = world;
  const over = new AbortController();
  const seen = new Sightings();
  const { recordsPerSecond } = options;
  const child = await contestant.start();
  try {
    await untilReady(world, contestant, child);
    const outFrom = await broker.admin.endOffsets(contestant.outTopic);
    const answered = async (): Promise<number> => (await committedOf(world, contestant)) - sumOf(inFrom);
    const reading = follow(world, outFrom, seen, over.signal);
    const pace = { recordsPerSecond, clock, signal };
    const counted = await paced(broker, load, { ...pace, from: first, seconds: WARM_UP_S });
    const start = sampleOf(world, child, await answered());
    const to = await paced(broker, load, { ...pace, from: counted, seconds: options.seconds });
    const end = sampleOf(world, child, await answered());
    const memory = memoryOf(child.pid);
    await untilAnswered(world, child, { answered, expected: to - first });
    await clock.sleep(MARKERS_MS, signal);
    over.abort();
    await reading;
    return { outFrom, counted, to, seen, memory, cost: costOf([start, end], coresOfMachine()) };
  } finally {
    over.abort();
    await child.stop();
  }
};

const round = async (
  world: BenchWorld,
  contestant: Joiner,
  first: number,
  setting: Setting,
): Promise<{ readonly round: LatencyRound; readonly to: number }> => {
  const { admin } = world.broker;
  const { features, aside } = topicsOf(world.pipeline);
  const inFrom = await admin.endOffsets(features);
  await admin.resetOffsets(contestant.nextGroup(), [...inFrom, ...(await admin.endOffsets(aside))]);
  const { outFrom, counted, to, seen, memory, cost } = await drive(world, contestant, first, inFrom, setting);
  const asked = { from: first, to, outTopic: contestant.outTopic, outFrom, scores: setting.scores };
  const appendedMs = await appendTimes(world, features, inFrom);
  const waits: number[] = [];
  const answers = await account(world, asked, ({ index, partition, vectorOffset, offset }: Answer) => {
    const seenMs = seen.at(partition, offset);
    if (index >= counted && seenMs !== undefined) waits.push(seenMs - appendedMs(partition, vectorOffset));
  });
  const { python } = setting.judging;
  // Behind ours, as it deletes what it has read.
  const verdict =
    python === null ? null : await (await openJudge(world, python, inFrom)).judge(contestant, outFrom);
  const percentiles = percentilesOf(Float64Array.from(waits));
  const disturbed = disturbance(cost);
  const name = contestant.name;
  return {
    round: { contestant: name, ...cost, ...memory, ...percentiles, disturbed, account: answers, verdict },
    to,
  };
};

const measure = async (
  world: BenchWorld,
  workload: Workload,
  judging: Judging,
  options: LatencyOptions,
): Promise<readonly LatencyRound[]> => {
  const { say } = options;
  const { pipeline, modelFolder } = world;
  const vectors = workload.vectors();
  const { features } = topicsOf(pipeline);
  const load: Load = { topic: features, partitions: pipeline.partitions, codec: world.features, vectors };
  const setting = { load, judging, options, scores: await offlineScores(modelFolder, vectors) };
  const contestants = contestantsOf(world, options);
  const done: LatencyRound[] = [];
  let first = 0;
  const byContestant = () =>
    contestants.map(({ name }) => done.filter(({ contestant }) => contestant === name));
  for (let n = 0; moreRounds(options.rounds, byContestant()); n++)
    for (const contestant of contestants) {
      const { round: one, to } = await round(world, contestant, first, setting);
      first = to;
      done.push(one);
      say(
        `${contestant.name}, round ${n + 1}: p50 ${one.p50} ms, p95 ${one.p95} ms, p99 ${one.p99} ms, ${one.cores} cores` +
          (one.disturbed === undefined ? '' : `, disturbed: ${one.disturbed}`) +
          wrongsOf(one),
      );
    }
  return done;
};

export const benchLatency = async (options: LatencyOptions): Promise<LatencyResult> => {
  const judging = await judgingBy(options);
  const rounds = await withWorkload({ ...options, outTopics: [BASELINE_TOPIC] }, (world, workload) =>
    measure(world, workload, judging, options),
  );
  const of = (name: string): Summed<Figure> =>
    summed(
      FIGURES,
      rounds.filter(one => one.contestant === name),
    );
  const { against } = options;
  const [ours, theirs] = [of('millrace'), of(against)];
  const times = (figure: Figure): number => ratio(ours.medians[figure], theirs.medians[figure]);
  return {
    bench: 'latency',
    workload: options.workload,
    settings: options.settings,
    recordsPerSecond: options.recordsPerSecond,
    seconds: options.seconds,
    millrace: ours,
    against,
    other: theirs,
    ratios: { p50: times('p50'), p99: times('p99'), cores: times('cores') },
    correct: rounds.every(areRight),
    ...judgedBy(judging),
    rounds,
  };
};
