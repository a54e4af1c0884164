/**
 * Fixes what a version of a feature set begins with, before anything runs: every event that is there now, cut into epochs
 * by order time. The tasks of that version find it when they start, and go on live behind it.
 */
import { openCodec, type Registry } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Epoch, partsOf } from '@millrace/features';
import type { Broker } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { readBackfill, type RecordedBackfill, replayOf, versionOf } from './history.ts';
import { type Plan, planOf } from './plan.ts';
import { readRecorded, releasedLive } from './recorded.ts';

export interface BackfillWorld {
  readonly broker: Broker;
  readonly registry: Registry;
  readonly clock: Clock;
}

export interface BackfillOptions extends BackfillWorld {
  readonly pipeline: Pipeline;
  /** Events appended before it are left out, milliseconds since the epoch; none without it. */
  readonly fromMs?: number;
  /** Events appended at or after it are no history: they are folded as they arrived. Default: now. */
  readonly toMs?: number;
  /** Width of an epoch, milliseconds of order time. */
  readonly sliceMs: number;
  /** How much older than an event before it in its partition an event may be, milliseconds of order time. */
  readonly disorderMs: number;
  /**
   * Version of the set whose recorded epochs are used again, as far as all its tasks have released them (with one key each
   * of them for itself), in place of slices of order time; its streams must be those of this one.
   */
  readonly epochsOf?: number;
  /** Who starts it. */
  readonly by: string;
}

export const SLICE_MS_DEFAULT = 3_600_000;
export const DISORDER_MS_DEFAULT = 3_600_000;

export const backfillId = ({ name, features }: Pipeline): string => `backfill-${name}-v${features.version}`;

/** What is recorded of the backfill of this version of the set. @throws Error where it was of another content */
export const findBackfill = (
  { broker, registry }: BackfillWorld,
  pipeline: Pipeline,
): Promise<RecordedBackfill> => readBackfill(broker, registry, planOf(pipeline));

/** The topics that a version of a set is computed from and through: what its group has committed says how far it is. */
export const backfillTopics = (
  pipeline: Pipeline,
): { readonly sources: readonly string[]; readonly lanes: readonly string[] } => {
  const { sources, further, topics } = planOf(pipeline);
  const lanes = further.length === 0 ? [] : [...further.map(({ topic }) => topic), topics.release!];
  return { sources: sources.map(({ topic }) => topic), lanes };
};

const writeRun = async ({ broker, registry }: BackfillWorld, run: Run): Promise<void> => {
  const topic = MILLRACE_TOPICS.runs;
  const codec = await openCodec<Run>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);
  const producer = await broker.producer();
  try {
    await producer.send([{ topic, partition: 0, key: Buffer.from(run.run), value: codec.encode(run) }]);
  } finally {
    await producer.close();
  }
};

type Captured = Pick<Run, 'slice' | 'sliceMs' | 'disorderMs' | 'epochsOf' | 'epochsUntil'>;

/** Everything that was appended between the two times, by slices of order time. */
async function slicesOf(options: BackfillOptions): Promise<Captured> {
  const { broker, pipeline, fromMs, toMs, sliceMs, disorderMs } = options;
  const { admin } = broker;
  const slice: Run['slice'][number][] = [];
  for (const { topic } of planOf(pipeline).sources) {
    const ends = toMs === undefined ? await admin.endOffsets(topic) : await admin.offsetsAtTime(topic, toMs);
    const starts =
      fromMs === undefined ? await admin.beginningOffsets(topic) : await admin.offsetsAtTime(topic, fromMs);
    for (const { partition, offset } of ends) {
      const from = starts.find(at => at.partition === partition)?.offset ?? 0;
      slice.push({ topic, partition, from, until: Math.max(from, offset) });
    }
  }
  return { slice, sliceMs, disorderMs, epochsOf: 0, epochsUntil: 0 };
}

/** @returns the run as it is captured now, or was before: asking again changes nothing. */
export async function captureBackfill(options: BackfillOptions): Promise<Run> {
  const { clock, pipeline, by } = options;
  const { set } = planOf(pipeline);
  const { captured: before } = await findBackfill(options, pipeline);
  if (before !== undefined) return before;
  const captured = await (options.epochsOf === undefined ? slicesOf(options) : recordedEpochsOf(options));
  const run: Run = {
    run: backfillId(pipeline), kind: 'backfill', pipeline: pipeline.name, state: 'captured', at: clock.now(), by,
    featureSet: set.version, featureSetHash: set.hash, ...captured, report: null,
  }; // prettier-ignore
  await writeRun(options, run);
  // Another may have been captured at the same time.
  return (await findBackfill(options, pipeline)).captured ?? run;
}

/**
 * Up to which epoch each task runs the recorded ones again. Of several keys up to one that all have released; tasks of one
 * key do not wait for each other, so each goes as far as it had come.
 */
async function lastEpochs(broker: Broker, registry: Registry, { further }: Plan, version: Pipeline): Promise<ReadonlyMap<number, Epoch>> {
  const released = await releasedLive(broker, registry, version);
  if (released.size === 0 || (further.length > 0 && released.size < version.partitions))
    throw new Error(
      `version ${version.features.version} of ${version.name} has released no live epoch in all of its tasks: there is nothing to run again; ` +
        'begin by slices of order time (without --epochs-of)',
    );
  const least = Math.min(...released.values());
  return further.length > 0 ? new Map([...released.keys()].map(task => [task, least])) : released;
} // prettier-ignore

/** Everything that the other version has released of what it read, by the epochs that its tasks have written down. */
async function recordedEpochsOf({
  broker, registry, pipeline, fromMs, epochsOf,
}: BackfillOptions): Promise<Captured> {
  const { admin } = broker;
  const plan = planOf(pipeline);
  const version = versionOf(pipeline, epochsOf!);
  const lasts = await lastEpochs(broker, registry, plan, version);
  const last = Math.max(...lasts.values());
  const [recorded, replay] = [await readRecorded(broker, registry, version, last), await replayOf(broker, registry, version)];
  /** Behind the last epoch of its task, in an input that has nothing in any. */
  const quietAt = async (topic: string, task: number): Promise<number> => {
    const of = lasts.get(task);
    const behind = of === undefined ? [] : await admin.offsetsAtTime(topic, partsOf(of).n);
    return behind.find(({ partition }) => partition === task)?.offset ?? 0;
  };
  const inputs = [];
  for (const { topic } of plan.sources) {
    const starts = fromMs === undefined ? [] : await admin.offsetsAtTime(topic, fromMs);
    for (let partition = 0; partition < pipeline.partitions; partition++) {
      const input = recorded.of(topic, partition);
      inputs.push({
        topic, partition, input,
        quietAt: input === undefined ? await quietAt(topic, partition) : 0,
        asked: starts.find(at => at.partition === partition)?.offset ?? 0,
        past: replay?.slice.find(at => at.topic === topic && at.partition === partition),
      });
    }
  }
  // Else an older release has not recorded the first of them, or they are older than what is kept.
  const isWhole = inputs.every(({ input, past }) => (input?.begins ?? 0) <= (past?.until ?? 0));
  if (isWhole && recorded.bumped > 0 && inputs.some(({ asked, past }) => asked < (past?.until ?? 0)))
    throw new Error(
      `${recorded.bumped} records of the replay with which version ${epochsOf} began came too late for their slices, so its epochs ` +
        'are not known from its slices alone: begin behind it (--from)',
    );
  const slice = inputs.map(({ topic, partition, quietAt, asked, past, input }) => {
    const begins = isWhole ? (past?.from ?? 0) : (input?.begins ?? quietAt);
    const from = Math.max(asked, begins);
    return { topic, partition, from, until: Math.max(from, input?.ends.at(-1)!.end ?? (isWhole ? (past?.until ?? 0) : 0)) };
  });
  const { sliceMs, disorderMs } = replay ?? { sliceMs: 0, disorderMs: 0 };
  return { slice, sliceMs, disorderMs, epochsOf: epochsOf!, epochsUntil: partsOf(last).n };
} // prettier-ignore

/** Records that a backfill has caught up with the live stream, and what it took. */
export const finishBackfill = (
  world: BackfillWorld,
  run: Run,
  by: string,
  report: Readonly<Record<string, unknown>>,
): Promise<void> =>
  writeRun(world, {
    ...run,
    state: 'done',
    at: world.clock.now(),
    by,
    slice: [],
    report: JSON.stringify(report),
  });
