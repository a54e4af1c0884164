/** `bench feature`: how fast the windows of customers are folded, durable and exactly once, and what that costs, beside peers. */
import { Bad, type Codec, openCodec } from '@millrace/avro';
import { catalogue, type FeaturesValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { decoded, wholeTopic } from '@millrace/stream';
import { type Cost, costOf, disturbance, moreRounds, TRIES_MAX } from '../figures.ts';
import { coresOfMachine, type Memory, memoryOf } from '../linux/usage.ts';
import { Folded, paymentOf, Payments } from '../load/payments.ts';
import { type Judging, judgingBy } from '../peers/judge.ts';
import { Sheet, type SheetAccount } from '../sheet.ts';
import { SETTLE_MS, untilAnswered } from '../watch.ts';
import { type BenchWorld, type OpenOptions, withWorld } from '../world/open.ts';
import { readOnce, sumOf } from '../world/offsets.ts';
import { type Folder, type FolderName, FOLDERS, makerOf } from './contestants.ts';
import { isVerdictRight, openVectorsJudge, type VectorsJudge, type VectorsVerdict } from './judge.ts';
import { customersOf } from './pipeline.ts';

export interface FeatureOptions extends Pick<OpenOptions, 'settings' | 'environment' | 'signal' | 'say'> {
  readonly records: number;
  readonly rounds: number;
  readonly folders: readonly FolderName[];
  /** Writes CPU profiles of the service there; the figures of such a run are not to be used. */
  readonly profile: string | undefined;
}

export interface FeatureRound extends Cost, Memory {
  readonly contestant: FolderName;
  readonly disturbed: string | undefined;
  readonly account: SheetAccount;
  /** By a reader that is not ours; null where the judge is left out. */
  readonly verdict: VectorsVerdict | null;
}

export interface Measured {
  readonly judging: Judging;
  readonly rounds: readonly FeatureRound[];
  /** Why a contestant that was asked for has no figures. */
  readonly failed: ReadonlyMap<FolderName, string>;
}

/** As fast as the broker takes them. */
const FILL_PER_SECOND = 1e9;

/** Every payment once, with exactly the values of the fold offline. */
export const isRight = ({ missing, doubled, foreign, wrongVectors, otherOrder }: SheetAccount): boolean =>
  missing + doubled + foreign + wrongVectors + otherOrder === 0;

export const areRight = ({ account, verdict }: Pick<FeatureRound, 'account' | 'verdict'>): boolean =>
  isRight(account) && (verdict === null || isVerdictRight(verdict));

interface Course {
  readonly world: BenchWorld;
  readonly pipeline: Pipeline;
  readonly records: number;
  readonly folded: Folded;
  readonly expected: Float32Array;
  readonly judge: VectorsJudge | null;
}

/** Puts the payments of a round on its topic, and reads them once, so that they lie in the page cache. */
const fillRound = async ({ world, pipeline, records }: Course): Promise<void> => {
  const payments = await Payments.open(world, pipeline);
  await payments.send(records, FILL_PER_SECOND);
  const there = await readOnce(world.broker, topicsOf(pipeline).scored);
  if (there !== records) throw new Error('the load is not as it was sent');
};

/** What stands on the topic of the vectors; what went elsewhere is missing. */
const accountOf = async (
  { world, pipeline, records: to, folded, expected }: Course,
  { outTopic }: Folder,
): Promise<SheetAccount> => {
  const { broker, registry } = world;
  const { features } = topicsOf(pipeline);
  const value = catalogue([pipeline]).find(({ name }) => name === features)!.value!;
  const codec: Codec<FeaturesValue> = await openCodec(registry, value);
  const sheet = new Sheet({ names: folded.names, from: 0, to });
  for await (const { value: vector } of decoded(await wholeTopic(broker, outTopic), codec))
    if (vector === null || vector instanceof Bad) sheet.add(-1, {});
    else sheet.add(paymentOf(vector.eventId), vector.features);
  return sheet.account(expected);
};

const round = async (course: Course, contestant: FolderName, folder: Folder): Promise<FeatureRound> => {
  const { world, pipeline, records: expected } = course;
  const { broker, clock, signal } = world;
  const { scored } = topicsOf(pipeline);
  const child = await folder.start();
  try {
    const answered = async (): Promise<number> => sumOf(await broker.admin.committed(folder.group, [scored]));
    const samples = await untilAnswered(world, child, { answered, expected });
    const memory = memoryOf(child.pid);
    await clock.sleep(SETTLE_MS, signal);
    const cost = costOf(samples, coresOfMachine());
    const account = await accountOf(course, folder);
    const verdict = course.judge === null ? null : await course.judge(pipeline, folder.outTopic);
    return { contestant, ...cost, ...memory, disturbed: disturbance(cost), account, verdict };
  } finally {
    await child.stop();
  }
};

const sayRound = (say: (line: string) => void, n: number, one: FeatureRound): void =>
  say(
    `${one.contestant}, round ${n}: ${one.recordsPerSecond} records/s, ${one.cpuSecondsPerMillion} CPU s per million` +
      (one.disturbed === undefined ? '' : `, disturbed: ${one.disturbed}`) +
      (areRight(one) ? '' : `, WRONG: ${JSON.stringify({ account: one.account, verdict: one.verdict })}`),
  );

const measure = async (world: BenchWorld, judging: Judging, options: FeatureOptions): Promise<Measured> => {
  const { records, rounds: wanted, folders, say } = options;
  const failed = new Map<FolderName, string>();
  const rounds: FeatureRound[] = [];
  /** One that fails is out, with the reason; the others go on. */
  const attempt = async <T>(name: FolderName, go: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await go();
    } catch (error) {
      world.signal.throwIfAborted();
      failed.set(name, (error as Error).message);
      say(`${name} is out: ${(error as Error).message}`);
      return undefined;
    }
  };
  const makers = new Map<FolderName, Awaited<ReturnType<typeof makerOf>>>();
  for (const name of FOLDERS.filter(one => folders.includes(one))) {
    const maker = await attempt(name, () => makerOf(name, options));
    if (maker !== undefined) makers.set(name, maker);
  }
  say(`folding ${records} payments offline`);
  const folded = new Folded(customersOf(1));
  const expected = folded.next(records);
  const { python } = judging;
  const judge = python === null ? null : openVectorsJudge(world, python, folded.names, expected);
  const isIn = (name: FolderName): boolean =>
    !failed.has(name) && moreRounds(wanted, [rounds.filter(({ contestant }) => contestant === name)]);
  for (let n = 1; [...makers.keys()].some(isIn); n++) {
    const course: Course = { world, pipeline: customersOf(n), records, folded, expected, judge };
    await fillRound(course);
    for (const [name, make] of makers)
      if (isIn(name))
        await attempt(name, async () => {
          const one = await round(course, name, await make(world, course.pipeline));
          rounds.push(one);
          sayRound(say, n, one);
        });
  }
  return { rounds, failed, judging };
};

export const benchFeature = async (options: FeatureOptions): Promise<Measured> => {
  const [pipeline, ...others] = Array.from({ length: options.rounds * TRIES_MAX }, (_, i) =>
    customersOf(i + 1),
  );
  const judging = await judgingBy(options);
  const shipped = { model: fraud.model.name, models: MODELS_FOLDER };
  return withWorld({ ...options, ...shipped, pipeline: pipeline!, others, outTopics: [] }, world =>
    measure(world, judging, options),
  );
};
