/**
 * How a feature set began: from history, where a backfill says so on `millrace.runs.v1`, else live from the first record
 * that is kept. The stretch of a backfill is fixed before its first vector and never changes, so every life of a task, in
 * whatever process, gives the same records the same epochs.
 */
import { Bad, openCodec, type Registry } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import { type History, replayHistory } from '@millrace/features';
import type { Broker } from '@millrace/stream';
import type { Plan } from './plan.ts';

export interface SetHistory {
  /** Id of the backfill; undefined where the set began live. */
  readonly run: string | undefined;
  /** By input, of one task. */
  of(task: number): readonly InputHistory[];
}

export interface InputHistory {
  /** Records below it are outside the stretch. */
  readonly from: number;
  /** Undefined: all of it is live. */
  readonly history: History | undefined;
}

const LIVE: InputHistory = { from: 0, history: undefined };

const historyOf = ({ sources }: Plan, run: Run): SetHistory => ({
  run: run.run,
  of: task =>
    sources.map(({ topic }) => {
      const stretch = run.slice.find(at => at.topic === topic && at.partition === task);
      if (stretch === undefined) return LIVE;
      const { sliceMs, disorderMs } = run;
      const { from, until } = stretch;
      return { from, history: replayHistory({ sliceMs, disorderMs, until }) };
    }),
});

/** What is recorded of the backfill with which this version of the set began, or begins. */
export interface RecordedBackfill {
  /** What fixes its stretch; undefined where there is none. */
  readonly captured: Run | undefined;
  /** What came of it; undefined until it is known. */
  readonly done: Run | undefined;
}

/** @throws Error where the stretch was captured for another content of the same version */
export async function readBackfill(
  broker: Broker,
  registry: Registry,
  { pipeline, set }: Plan,
): Promise<RecordedBackfill> {
  const found: { captured: Run | undefined; done: Run | undefined } = {
    captured: undefined,
    done: undefined,
  };
  const topic = MILLRACE_TOPICS.runs;
  const codec = await openCodec<Run>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until })) {
    const values = Array.from({ length: run.length }, (_, i) => run.value(i));
    await codec.prepare(values);
    for (const bytes of values) {
      const value = bytes === null ? null : codec.decode(bytes);
      if (value === null || value instanceof Bad) continue;
      const isOurs = value.pipeline === pipeline.name && value.featureSet === set.version;
      if (value.kind !== 'backfill' || !isOurs) continue;
      // Of two that were captured at once the first on the topic holds.
      if (value.state === 'captured') found.captured ??= value;
      else if (value.state === 'done') found.done = value;
    }
  }
  const { captured } = found;
  if (captured !== undefined && captured.featureSetHash !== set.hash)
    throw new Error(
      `backfill ${captured.run} is of feature set ${captured.featureSetHash.slice(0, 12)}…, and version ${set.version} of ` +
        `${pipeline.name} is ${set.hash.slice(0, 12)}… here: a changed set needs a version of its own`,
    );
  return found;
}

export async function readSetHistory(broker: Broker, registry: Registry, plan: Plan): Promise<SetHistory> {
  const { captured } = await readBackfill(broker, registry, plan);
  if (captured === undefined) return { run: undefined, of: () => plan.sources.map(() => LIVE) };
  return historyOf(plan, captured);
}
