/** `bench inference`: how fast a backlog is scored, and what that costs, beside the plain way or the other way to deliver. */
import { topicsOf } from '@millrace/contracts';
import type { PartitionOffset } from '@millrace/stream';
import { account, offlineScores } from './check.ts';
import { type Against, BASELINE_TOPIC, type Contestant, contestantsOf } from './contestants.ts';
import { type Cost, costOf, disturbance, moreRounds, ratio, type Summed, summed } from './figures.ts';
import { areRight, type BothJudged, wrongsOf } from './judged.ts';
import { coresOfMachine, type Memory, memoryOf } from './linux/usage.ts';
import { fillFeatures } from './load/publish.ts';
import { CEILING_TOPIC, ceilingOf } from './peers/contestants.ts';
import { type Judge, type JudgedBy, judgedBy, type Judging, judgingBy, openJudge } from './peers/judge.ts';
import { withWorkload, type Workload, type WorkloadOptions } from './peers/workloads.ts';
import { table } from './table.ts';
import { committedOf, untilAnswered } from './watch.ts';
import type { BenchWorld } from './world/open.ts';
import { lastShare, sumOf } from './world/offsets.ts';

export interface InferenceOptions extends WorkloadOptions {
  readonly records: number;
  readonly rounds: number;
  readonly against: Against;
  /** Writes CPU profiles of the service there; the figures of such a run are not to be used. */
  readonly profile: string | undefined;
}

export interface InferenceRound extends Cost, Memory, BothJudged {
  readonly contestant: string;
  readonly disturbed: string | undefined;
}

const FIGURES = [
  'recordsPerSecond', 'cpuSecondsPerMillion', 'brokerCpuSecondsPerMillion', 'cores', 'rssMaxMb', 'anonymousMb',
] as const; // prettier-ignore
type Figure = (typeof FIGURES)[number];

export interface InferenceResult extends JudgedBy {
  readonly bench: 'inference';
  readonly workload: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  readonly millrace: Summed<Figure>;
  readonly against: Against;
  readonly other: Summed<Figure>;
  /** Millrace over the other. */
  readonly ratios: { readonly recordsPerSecond: number; readonly cpuSecondsPerMillion: number };
  /** Reading and writing as many bytes alone, exactly once; null where no round of it could be measured. */
  readonly ceiling: Summed<Figure> | null;
  /** Millrace's rate by the ceiling's. */
  readonly ofCeiling: number | null;
  readonly correct: boolean;
  readonly rounds: readonly InferenceRound[];
}

/** Share of the topic that each contestant reads once before anything counts. */
const WARM_UP_SHARE = 0.1;

/** Lets a contestant read what lies past `positions`, and hands over what was seen of it. */
const round = async (
  world: BenchWorld,
  contestant: Contestant,
  positions: readonly PartitionOffset[],
  expected: number,
) => {
  const { admin } = world.broker;
  const aside = await admin.endOffsets(topicsOf(world.pipeline).aside);
  await admin.resetOffsets(contestant.nextGroup(), [...positions, ...aside]);
  const from = await admin.endOffsets(contestant.outTopic);
  const child = await contestant.start();
  try {
    const answered = async (): Promise<number> => (await committedOf(world, contestant)) - sumOf(positions);
    const samples = await untilAnswered(world, child, { answered, expected });
    return { samples, from, memory: memoryOf(child.pid) };
  } finally {
    await child.stop();
  }
};

interface Course {
  readonly world: BenchWorld;
  readonly records: number;
  readonly begin: readonly PartitionOffset[];
  readonly scores: Float32Array;
  readonly judge: Judge | null;
}

/** A round over all records, measured and judged. */
const turn = async (
  { world, records, begin, scores, judge }: Course,
  contestant: Contestant,
): Promise<InferenceRound> => {
  const { name, outTopic, written } = contestant;
  const { samples, from: outFrom, memory } = await round(world, contestant, begin, records);
  const cost = costOf(samples, coresOfMachine());
  const asked = { from: 0, to: records, outTopic, outFrom, scores };
  const ours = written?.answers === 'copies' ? null : await account(world, asked);
  // Behind ours, as it deletes what it has read.
  const verdict = judge === null ? null : await judge.judge(contestant, outFrom);
  return { contestant: name, ...cost, ...memory, disturbed: disturbance(cost), account: ours, verdict };
};

const told = (one: InferenceRound, n: number): string =>
  `${one.contestant}, round ${n}: ${one.recordsPerSecond} records/s, ${one.cpuSecondsPerMillion} CPU s per million` +
  (one.disturbed === undefined ? '' : `, disturbed: ${one.disturbed}`) +
  wrongsOf(one);

const measure = async (
  world: BenchWorld,
  workload: Workload,
  judging: Judging,
  options: InferenceOptions,
): Promise<readonly InferenceRound[]> => {
  const { records, say } = options;
  const vectors = workload.vectors();
  const scores = await offlineScores(world.modelFolder, vectors);
  const ends = await fillFeatures(world, vectors, records);
  const begin = ends.map(end => ({ ...end, offset: 0 }));
  const { python } = judging;
  const judge = python === null ? null : await openJudge(world, python, begin);
  const course: Course = { world, records, begin, scores, judge };

  const contestants = contestantsOf(world, options);
  const ceiling = await ceilingOf(world, 'exactly-once', options);
  const warmUp = lastShare(ends, WARM_UP_SHARE);
  for (const contestant of [...contestants, ceiling]) {
    say(`${contestant.name}: warming up`);
    await round(world, contestant, warmUp, sumOf(ends) - sumOf(warmUp));
  }
  const done: InferenceRound[] = [];
  const tell = (one: InferenceRound, n: number): void => {
    done.push(one);
    say(told(one, n));
  };
  const byContestant = () =>
    contestants.map(({ name }) => done.filter(({ contestant }) => contestant === name));
  for (let n = 1; moreRounds(options.rounds, byContestant()); n++) {
    for (const contestant of contestants) tell(await turn(course, contestant), n);
    // No contestant: it asks for no rounds of its own, and where few records are too few for it the others go on.
    try {
      tell(await turn(course, ceiling), n);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      say(`${ceiling.name}, round ${n}: ${error.message}`);
    }
  }
  return done;
};

export const benchInference = async (options: InferenceOptions): Promise<InferenceResult> => {
  const outTopics = [BASELINE_TOPIC, CEILING_TOPIC];
  const judging = await judgingBy(options);
  const rounds = await withWorkload({ ...options, outTopics }, (world, workload) =>
    measure(world, workload, judging, options),
  );
  const roundsOf = (name: string) => rounds.filter(one => one.contestant === name);
  const of = (name: string): Summed<Figure> => summed(FIGURES, roundsOf(name));
  const { against } = options;
  const [ours, theirs] = [of('millrace'), of(against)];
  const ceiling = roundsOf('ceiling').length === 0 ? null : of('ceiling');
  const times = (figure: Figure, other = theirs): number =>
    ratio(ours.medians[figure], other.medians[figure]);
  return {
    bench: 'inference',
    workload: options.workload,
    settings: options.settings,
    records: options.records,
    millrace: ours,
    against,
    other: theirs,
    ratios: {
      recordsPerSecond: times('recordsPerSecond'),
      cpuSecondsPerMillion: times('cpuSecondsPerMillion'),
    },
    ceiling,
    ofCeiling: ceiling === null ? null : times('recordsPerSecond', ceiling),
    correct: rounds.every(areRight),
    ...judgedBy(judging),
    rounds,
  };
};

/** As lines: both side by side, then how near to what the machine gives at most. */
export const inferenceTable = ({ millrace, against, other, ceiling, ofCeiling }: InferenceResult): readonly string[] => [
  ...table(millrace, against, other),
  ceiling === null
    ? 'ceiling: the run was too short for it'
    : `ceiling: ${ceiling.medians.recordsPerSecond} records/s, of which millrace has ${ofCeiling}` +
      (ceiling.trusted ? '' : '; all its rounds were disturbed'),
]; // prettier-ignore
