/**
 * Fixes what a version of a feature set begins with, before anything runs: every event that is there now, cut into epochs
 * by order time. The tasks of that version find it when they start, and go on live behind it.
 */
import { openCodec, type Registry } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { Broker } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { readBackfill, type RecordedBackfill } from './history.ts';
import { planOf } from './plan.ts';

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

/** @returns the run as it is captured now, or was before: asking again changes nothing. */
export async function captureBackfill(options: BackfillOptions): Promise<Run> {
  const { broker, clock, pipeline, fromMs, toMs, sliceMs, disorderMs, by } = options;
  const plan = planOf(pipeline);
  const { captured: before } = await findBackfill(options, pipeline);
  if (before !== undefined) return before;
  const { admin } = broker;
  const slice: Run['slice'][number][] = [];
  for (const { topic } of plan.sources) {
    const ends = toMs === undefined ? await admin.endOffsets(topic) : await admin.offsetsAtTime(topic, toMs);
    const starts =
      fromMs === undefined ? await admin.beginningOffsets(topic) : await admin.offsetsAtTime(topic, fromMs);
    for (const { partition, offset } of ends) {
      const from = starts.find(at => at.partition === partition)?.offset ?? 0;
      slice.push({ topic, partition, from, until: Math.max(from, offset) });
    }
  }
  const run: Run = {
    run: backfillId(pipeline), kind: 'backfill', pipeline: pipeline.name, state: 'captured', at: clock.now(), by,
    featureSet: plan.set.version, featureSetHash: plan.set.hash, sliceMs, disorderMs, slice, report: null,
  }; // prettier-ignore
  await writeRun(options, run);
  // Another may have been captured at the same time.
  return (await findBackfill(options, pipeline)).captured ?? run;
}

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
