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

/** The backfill with which this version of the set began, or begins; undefined where there is none. */
export async function readBackfill(broker: Broker, registry: Registry, plan: Plan): Promise<Run | undefined> {
  const topic = MILLRACE_TOPICS.runs;
  const codec = await openCodec<Run>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from: { topic, at: 'beginning' }, until })) {
    const values = Array.from({ length: run.length }, (_, i) => run.value(i));
    await codec.prepare(values);
    for (const bytes of values) {
      const value = bytes === null ? null : codec.decode(bytes);
      if (value === null || value instanceof Bad) continue;
      const isOurs = value.pipeline === plan.pipeline.name && value.featureSet === plan.set.version;
      if (value.kind === 'backfill' && value.state === 'captured' && isOurs) return value;
    }
  }
  return undefined;
}

/** @throws Error where the stretch was captured for another content of the same version */
export async function readSetHistory(broker: Broker, registry: Registry, plan: Plan): Promise<SetHistory> {
  const found = await readBackfill(broker, registry, plan);
  if (found === undefined) return { run: undefined, of: () => plan.sources.map(() => LIVE) };
  if (found.featureSetHash !== plan.set.hash)
    throw new Error(
      `backfill ${found.run} is of feature set ${found.featureSetHash.slice(0, 12)}…, and version ${plan.set.version} of ` +
        `${plan.pipeline.name} is ${plan.set.hash.slice(0, 12)}… here: a changed set needs a version of its own`,
    );
  return historyOf(plan, found);
}
