/** `bench inference`: how fast a backlog is scored, and what that costs, beside the plain way or the other way to deliver. */
import { topicsOf } from '@millrace/contracts';
import type { PartitionOffset } from '@millrace/stream';
import { account, type Account, isRight, offlineScores } from './check.ts';
import { type Against, type Contestant, contestantsOf } from './contestants.ts';
import { type Cost, costOf, disturbance, moreRounds, ratio, type Summed, summed } from './figures.ts';
import { coresOfMachine, type Memory, memoryOf } from './linux/usage.ts';
import { fill } from './load/publish.ts';
import { distinctVectors } from './load/vectors.ts';
import { committedOf, untilAnswered } from './watch.ts';
import { type BenchWorld, type OpenOptions, withWorld } from './world/open.ts';
import { lastShare, readOnce, sumOf } from './world/offsets.ts';

export interface InferenceOptions extends OpenOptions {
  readonly records: number;
  readonly rounds: number;
  readonly against: Against;
  /** Writes CPU profiles of the service there; the figures of such a run are not to be used. */
  readonly profile: string | undefined;
}

export interface InferenceRound extends Cost, Memory {
  readonly contestant: string;
  readonly disturbed: string | undefined;
  readonly account: Account;
}

const FIGURES = [
  'recordsPerSecond', 'cpuSecondsPerMillion', 'brokerCpuSecondsPerMillion', 'cores', 'rssMaxMb', 'anonymousMb',
] as const; // prettier-ignore
type Figure = (typeof FIGURES)[number];

export interface InferenceResult {
  readonly bench: 'inference';
  readonly model: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  readonly millrace: Summed<Figure>;
  readonly against: Against;
  readonly other: Summed<Figure>;
  /** Millrace over the other. */
  readonly ratios: { readonly recordsPerSecond: number; readonly cpuSecondsPerMillion: number };
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

const measure = async (world: BenchWorld, options: InferenceOptions): Promise<readonly InferenceRound[]> => {
  const { records, say } = options;
  const { pipeline, modelFolder } = world;
  const { features } = topicsOf(pipeline);
  const vectors = distinctVectors();
  const scores = await offlineScores(modelFolder, vectors);
  say(`${vectors.length} different vectors; putting ${records} on ${features}`);
  const load = { topic: features, partitions: pipeline.partitions, codec: world.features, vectors };
  await fill(world.broker, load, 0, records);
  if ((await readOnce(world.broker, features)) !== records) throw new Error('the load is not as it was sent');

  const contestants = contestantsOf(world, options);
  const ends = await world.broker.admin.endOffsets(features);
  const warmUp = lastShare(ends, WARM_UP_SHARE);
  for (const contestant of contestants) {
    say(`${contestant.name}: warming up`);
    await round(world, contestant, warmUp, sumOf(ends) - sumOf(warmUp));
  }
  const done: InferenceRound[] = [];
  const begin = ends.map(end => ({ ...end, offset: 0 }));
  const byContestant = () =>
    contestants.map(({ name }) => done.filter(({ contestant }) => contestant === name));
  for (let n = 0; moreRounds(options.rounds, byContestant()); n++)
    for (const contestant of contestants) {
      const { samples, from, memory } = await round(world, contestant, begin, records);
      const cost = costOf(samples, coresOfMachine());
      const disturbed = disturbance(cost);
      const asked = { from: 0, to: records, outTopic: contestant.outTopic, outFrom: from, scores };
      const answers = await account(world, asked);
      done.push({ contestant: contestant.name, ...cost, ...memory, disturbed, account: answers });
      say(
        `${contestant.name}, round ${n + 1}: ${cost.recordsPerSecond} records/s, ${cost.cpuSecondsPerMillion} CPU s per million` +
          (disturbed === undefined ? '' : `, disturbed: ${disturbed}`) +
          (isRight(answers) ? '' : `, WRONG: ${JSON.stringify(answers)}`),
      );
    }
  return done;
};

export const benchInference = async (options: InferenceOptions): Promise<InferenceResult> => {
  const rounds = await withWorld(options, world => measure(world, options));
  const of = (name: string): Summed<Figure> =>
    summed(
      FIGURES,
      rounds.filter(one => one.contestant === name),
    );
  const { against } = options;
  const [ours, theirs] = [of('millrace'), of(against)];
  const times = (figure: Figure): number => ratio(ours.medians[figure], theirs.medians[figure]);
  return {
    bench: 'inference',
    model: options.model,
    settings: options.settings,
    records: options.records,
    millrace: ours,
    against,
    other: theirs,
    ratios: {
      recordsPerSecond: times('recordsPerSecond'),
      cpuSecondsPerMillion: times('cpuSecondsPerMillion'),
    },
    correct: rounds.every(one => isRight(one.account)),
    rounds,
  };
};
