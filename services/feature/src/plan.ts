import { asideTopic, catalogue, fieldsInVectors, type PipelineTopics, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type CompiledSet, type CompiledStage, compileSet, type CompileOptions } from '@millrace/features';

export interface StreamPlan {
  readonly stream: string;
  readonly topic: string;
  /** Field that must equal the record's key. */
  readonly keyField: string;
}

/** An input that brings events from outside: the topic of a stream, or what is sent again aside of it. */
export interface SourcePlan extends StreamPlan {
  /** Topic of the stream where this one lies aside of it: its records say themselves where they first stood. */
  readonly asideOf: string | undefined;
}

/** Where a row goes next, and by which field it is keyed there; `release` leads back to its source partition. */
export type Hop =
  { readonly to: `stage:${string}`; readonly stage: CompiledStage } | { readonly to: 'release' };

/** What has to run for one pipeline, derived from its definition. */
export interface Plan {
  readonly pipeline: Pipeline;
  readonly topics: PipelineTopics;
  readonly set: CompiledSet;
  readonly streams: readonly StreamPlan[];
  /** Every input of events: the streams' topics first, so that what a task keeps by input stays in its place. */
  readonly sources: readonly SourcePlan[];
  /** Views of the key that the events are keyed by; undefined where there are none. */
  readonly first: CompiledStage | undefined;
  /** Views of further keys, in the order in which events pass them. */
  readonly further: readonly { readonly stage: CompiledStage; readonly topic: string }[];
  /** Fields of the event that stand in a vector. */
  readonly eventFields: readonly string[];
  /** Name, value subject and schema of every topic that this service reads or writes values of. */
  readonly values: ReadonlyMap<string, { readonly subject: string; readonly schema: string }>;
}

export function planOf(pipeline: Pipeline, options: CompileOptions = {}): Plan {
  const topics = topicsOf(pipeline);
  const set = compileSet(pipeline, options);
  const keyField = pipeline.events[pipeline.scores]!.keys[0]!;
  const values = new Map(
    catalogue([pipeline]).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
  );
  const used = new Set([pipeline.scores, ...set.stages.flatMap(stage => stage.streams)]);
  const streams = Object.entries(pipeline.events)
    .filter(([stream]) => used.has(stream))
    .map(([stream, { keys }]) => ({ stream, topic: topics.events[stream]!, keyField: keys[0]! }));
  return {
    pipeline,
    topics,
    set,
    streams,
    sources: [
      ...streams.map(stream => ({ ...stream, asideOf: undefined })),
      ...streams.map(stream => ({ ...stream, topic: asideTopic(stream.topic), asideOf: stream.topic })),
    ],
    first: set.stages.find(stage => stage.key === keyField),
    further: set.stages
      .filter(stage => stage.key !== keyField)
      .map(stage => ({ stage, topic: topics.repartition[stage.key]! })),
    eventFields: fieldsInVectors(pipeline).filter(name => name !== pipeline.events[pipeline.scores]!.time),
    values,
  };
}

/**
 * Whether each event is folded and answered as it is read: the views have one key, one stream alone is read, and it is
 * read live (`run`: the backfill with which the set began). The order of its partitions is all the order there is then.
 */
export const isDirect = ({ further, streams }: Plan, run: string | undefined): boolean =>
  further.length === 0 && streams.length === 1 && run === undefined;

/** Whether the events of a set are cut into epochs when it begins live. */
export const cutsLiveEpochs = (pipeline: Pipeline): boolean => !isDirect(planOf(pipeline), undefined);

const RELEASE: Hop = { to: 'release' };

/** The next hop of a row that leaves the source (-1) or the further stage of this index; undefined: it ends here. */
export function hopAfter({ pipeline, further }: Plan, index: number, stream: string): Hop | undefined {
  const next = further[index + 1];
  const isScored = stream === pipeline.scores;
  if (next === undefined) return isScored ? RELEASE : undefined;
  const isWanted = isScored || further.slice(index + 1).some(({ stage }) => stage.streams.includes(stream));
  return isWanted ? { to: `stage:${next.stage.key}`, stage: next.stage } : undefined;
}

/** The hop that markers of the source (-1) or of a further stage take. */
export function markerHop({ further }: Plan, index: number): Hop['to'] {
  const next = further[index + 1];
  return next === undefined ? 'release' : `stage:${next.stage.key}`;
}
