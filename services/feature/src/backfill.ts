/**
 * Fixes what a version of a feature set begins with, before anything runs: every event that is there now, cut into epochs
 * by order time. The tasks of that version find it when they start, and go on live behind it.
 */
import { openCodec, type Registry } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { Broker } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { readBackfill } from './history.ts';
import { planOf } from './plan.ts';

export interface BackfillOptions {
  readonly broker: Broker;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly pipeline: Pipeline;
  /** Events appended before it are left out, milliseconds since the epoch; none without it. */
  readonly fromMs?: number;
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

/** @returns the run as it is captured now, or was before: asking again changes nothing. */
export async function captureBackfill(options: BackfillOptions): Promise<Run> {
  const { broker, registry, clock, pipeline, fromMs, sliceMs, disorderMs, by } = options;
  const plan = planOf(pipeline);
  const before = await readBackfill(broker, registry, plan);
  if (before !== undefined) return before;
  const slice: Run['slice'][number][] = [];
  for (const { topic } of plan.sources) {
    const ends = await broker.admin.endOffsets(topic);
    const starts =
      fromMs === undefined
        ? await broker.admin.beginningOffsets(topic)
        : await broker.admin.offsetsAtTime(topic, fromMs);
    for (const { partition, offset } of ends) {
      const from = starts.find(at => at.partition === partition)?.offset ?? 0;
      slice.push({ topic, partition, from, until: offset });
    }
  }
  const run: Run = {
    run: backfillId(pipeline), kind: 'backfill', pipeline: pipeline.name, state: 'captured', at: clock.now(), by,
    featureSet: plan.set.version, featureSetHash: plan.set.hash, sliceMs, disorderMs, slice, report: null,
  }; // prettier-ignore
  const topic = MILLRACE_TOPICS.runs;
  const codec = await openCodec<Run>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);
  const producer = await broker.producer();
  try {
    await producer.send([{ topic, partition: 0, key: Buffer.from(run.run), value: codec.encode(run) }]);
  } finally {
    await producer.close();
  }
  // Of two that were captured at once the first on the topic holds.
  return (await readBackfill(broker, registry, plan)) ?? run;
}
