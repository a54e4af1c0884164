/**
 * How a feature set began: from history, where a backfill says so on `millrace.runs.v1`, else live from the first record
 * that is kept. The stretch of a backfill is fixed before its first vector and never changes, so every life of a task, in
 * whatever process, gives the same records the same epochs.
 */
import { Bad, openCodec, type Registry } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { epochOf, type History, recordedHistory, replayHistory } from '@millrace/features';
import { type Broker, decoded, wholeTopic } from '@millrace/stream';
import type { Plan } from './plan.ts';
import { type RecordedInput, readRecorded } from './recorded.ts';

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

/** What is recorded of the backfill with which a version of a set began, or begins. */
export interface RecordedBackfill {
  /** What fixes its stretch; undefined where there is none. */
  readonly captured: Run | undefined;
  /** What came of it; undefined until it is known. */
  readonly done: Run | undefined;
}

export async function readRuns(
  broker: Broker,
  registry: Registry,
  { name, features: { version } }: Pipeline,
): Promise<RecordedBackfill> {
  const found: { captured: Run | undefined; done: Run | undefined } = { captured: undefined, done: undefined };
  const topic = MILLRACE_TOPICS.runs;
  const codec = await openCodec<Run>(registry, catalogue([]).find(({ name }) => name === topic)!.value!);
  for await (const { value } of decoded(await wholeTopic(broker, topic), codec)) {
    if (value === null || value instanceof Bad) continue;
    const isOurs = value.pipeline === name && value.featureSet === version;
    if (value.kind !== 'backfill' || !isOurs) continue;
    // Of two that were captured at once the first on the topic holds.
    if (value.state === 'captured') found.captured ??= value;
    else if (value.state === 'done') found.done = value;
  }
  return found;
} // prettier-ignore

/** @throws Error where the stretch was captured for another content of the same version */
export async function readBackfill(
  broker: Broker,
  registry: Registry,
  { pipeline, set }: Plan,
): Promise<RecordedBackfill> {
  const found = await readRuns(broker, registry, pipeline);
  const { captured } = found;
  if (captured !== undefined && captured.featureSetHash !== set.hash)
    throw new Error(
      `backfill ${captured.run} is of feature set ${captured.featureSetHash.slice(0, 12)}…, and version ${set.version} of ` +
        `${pipeline.name} is ${set.hash.slice(0, 12)}… here: a changed set needs a version of its own`,
    );
  return found;
}

/** The same pipeline with that version of its set, for names of topics and groups. */
export const versionOf = (pipeline: Pipeline, version: number): Pipeline => ({
  ...pipeline,
  features: { ...pipeline.features, version },
  beside: [],
});

/** The replay with which a version began, also where it took over the recorded epochs of another; undefined: live. */
export async function replayOf(
  broker: Broker,
  registry: Registry,
  pipeline: Pipeline,
): Promise<Run | undefined> {
  const { captured } = await readRuns(broker, registry, pipeline);
  return captured === undefined || captured.epochsOf === 0
    ? captured
    : replayOf(broker, registry, versionOf(pipeline, captured.epochsOf));
}

type Stretch = Run['slice'][number];

const stretchOf = (run: Run | undefined, topic: string, task: number): Stretch | undefined =>
  run?.slice.find(at => at.topic === topic && at.partition === task);

export async function readSetHistory(broker: Broker, registry: Registry, plan: Plan): Promise<SetHistory> {
  const { captured: run } = await readBackfill(broker, registry, plan);
  const { sources, pipeline } = plan;
  if (run === undefined) return { run, of: () => sources.map(() => LIVE) };
  const historyOf =
    run.epochsOf === 0
      ? ({ until }: Stretch): History => replayHistory({ ...run, until })
      : await recordedOf(broker, registry, pipeline, run);
  const of = (task: number): readonly InputHistory[] =>
    sources.map(({ topic }) => {
      const stretch = stretchOf(run, topic, task);
      return stretch === undefined ? LIVE : { from: stretch.from, history: historyOf(stretch) };
    });
  return { run: run.run, of };
}

/** Histories of a run that uses the recorded epochs of another version. @throws Error where these are gone */
async function recordedOf(
  broker: Broker,
  registry: Registry,
  pipeline: Pipeline,
  run: Run,
): Promise<(stretch: Stretch) => History> {
  const version = versionOf(pipeline, run.epochsOf);
  const last = epochOf({ phase: 'live', n: run.epochsUntil });
  const from = (topic: string, task: number): number => stretchOf(run, topic, task)?.from ?? 0;
  const recorded = await readRecorded(broker, registry, version, last, from);
  const replay = await replayOf(broker, registry, version);
  return stretch => {
    const { topic, partition, until } = stretch;
    const past = stretchOf(replay, topic, partition);
    const before =
      past !== undefined && stretch.from < past.until
        ? replayHistory({ ...replay!, until: past.until })
        : undefined;
    const input = recorded.of(topic, partition);
    // What was recorded since lies behind the stretch, also where another task was that far when it was fixed.
    const ends = (input?.ends ?? []).filter(({ end }) => end <= until);
    checkThere(
      stretch,
      { begins: input?.begins ?? 0, ends },
      Math.max(stretch.from, before?.until ?? 0),
      run,
    );
    return recordedHistory({ ends, last, until, before });
  };
}

function checkThere(
  { topic, partition, until }: Stretch,
  { begins, ends }: RecordedInput,
  liveFrom: number,
  run: Run,
): void {
  const isThere = ends.length === 0 ? until <= liveFrom : begins <= liveFrom && ends.at(-1)!.end === until;
  if (isThere) return;
  throw new Error(
    `${run.run}: recorded epochs of version ${run.epochsOf} are gone from ${topic}, partition ${partition}: they are kept as long ` +
      'as events; give the set a new version, and begin it anew',
  );
}
