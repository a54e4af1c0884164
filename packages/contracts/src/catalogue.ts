import { everySet, expressionInWords, type Pipeline } from '@millrace/define';
import { LETTER_BATCH_BYTES_MAX } from './bounds.ts';
import { repositorySchemas, type SchemaSource } from './files/schemas.ts';
import { compactSchema } from './generate/avsc.ts';
import { type PipelineSchemas, schemasOf } from './generate/schemas.ts';
import { asideTopic, deadLetterTopic, MILLRACE_TOPICS, topicsOf, valueSubject } from './topics.ts';

export type ServiceName = 'producers' | 'ingest' | 'feature' | 'inference' | 'sink' | 'cli';
export type TopicKind =
  | 'events' | 'features' | 'aside' | 'predictions' | 'deferred' | 'pushes' | 'dead-letters'
  | 'repartition' | 'changelog' | 'progress' | 'epochs' | 'cuts' | 'control' | 'record'; // prettier-ignore

/** One topic: what flows there, who writes and who reads it, and how the broker keeps it. */
export interface Topic {
  readonly name: string;
  readonly kind: TopicKind;
  /** Undefined for the topics of the house. */
  readonly pipeline: string | undefined;
  readonly partitions: number;
  /** Kafka's topic configuration: what must be so for us. */
  readonly config: Readonly<Record<string, string>>;
  /** What the key is: plain UTF-8 unless said otherwise. */
  readonly key: string;
  /** Undefined where values are not Avro of ours: dead letters keep their original bytes. */
  readonly value: TopicValue | undefined;
  readonly writers: readonly ServiceName[];
  readonly readers: readonly ServiceName[];
}

export interface TopicValue {
  readonly subject: string;
  /** What values are read with, and written where nothing else is said. */
  readonly schema: string;
  /** What else values are written with: predictions with the schema of the feature set that they were made by. */
  readonly written?: readonly string[];
}

const DAY_MS = 86_400_000;
/** Kept for ever. */
const FOREVER = '-1';
/** Longer than any window with its delay (37 days), so that state can be built again from events. */
const EVENTS_RETENTION_DAYS = 90;
const ANSWERS_RETENTION_DAYS = 30;
const INTERNAL_RETENTION_DAYS = 7;
/** How long a reader of a compacted topic may be away without missing a record. */
const COMPACTION_LAG_DAYS = 7;
/** Of a segment of the topics that state is restored from. */
export const RESTORED_SEGMENT_BYTES = 64 * 1_048_576;
/** Longest outage after which a tombstone is still seen. */
const TOMBSTONE_DAYS = 7;

const days = (n: number): string => String(n * DAY_MS);

/** Append time, so that retention and compaction count from arrival; re-encoded by the broker into what we can read. */
const COMMON = { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'uncompressed' } as const;
const kept = (retentionMs: string): Topic['config'] => ({
  ...COMMON,
  'cleanup.policy': 'delete',
  'retention.ms': retentionMs,
});
/** A letter is its record with headers beside: the largest that a producer may send needs more room here than there. */
const withRoom = (config: Topic['config']): Topic['config'] => ({
  ...config,
  'max.message.bytes': String(LETTER_BATCH_BYTES_MAX),
});
/** Read as a table: only the newest of each key matters. */
const TABLE: Topic['config'] = {
  ...COMMON,
  'cleanup.policy': 'compact',
  'delete.retention.ms': days(TOMBSTONE_DAYS),
};
/** Read whole by whoever takes a task over. The newest segment is never compacted: at Kafka's 1 GiB it would be most of a restore. */
const RESTORED: Topic['config'] = { ...TABLE, 'segment.bytes': String(RESTORED_SEGMENT_BYTES) };
/** Read record by record: compaction must not outrun a reader. */
const COMPACTED_STREAM: Topic['config'] = { ...TABLE, 'min.compaction.lag.ms': days(COMPACTION_LAG_DAYS) };
/** A replaced row stays as long as events that it was in force for, so that features can be built again from both. */
const REFERENCE: Topic['config'] = { ...TABLE, 'min.compaction.lag.ms': days(EVENTS_RETENTION_DAYS) };

type Draft = Omit<Topic, 'pipeline' | 'partitions' | 'value'> &
  Partial<Pick<TopicValue, 'written'>> & { readonly schema?: string | undefined };

const hasSeveralSets = ({ beside }: Pipeline): boolean => beside.length > 0;

const answers = (
  pipeline: Pipeline,
  schemas: PipelineSchemas,
  source: SchemaSource,
  internalSchema: (path: string) => string | undefined,
): readonly Draft[] => {
  const topics = topicsOf(pipeline);
  const written = hasSeveralSets(pipeline) && {
    written: everySet(pipeline).map(set => schemasOf(set, source).prediction),
  };
  const key = pipeline.entity;
  const vectors = { key, schema: schemas.features };
  const answer = { key, config: kept(days(ANSWERS_RETENTION_DAYS)) };
  return [
    { name: topics.features, kind: 'features', ...vectors, config: COMPACTED_STREAM, writers: ['feature'], readers: ['inference', 'cli'] },
    { name: topics.aside, kind: 'aside', ...vectors, ...answer, writers: ['feature', 'cli'], readers: ['inference', 'cli'] },
    { name: topics.predictions, kind: 'predictions', ...answer, schema: schemas.prediction, ...written, writers: ['inference', 'cli'], readers: ['sink'] },
    { name: topics.deferred, kind: 'deferred', ...answer, schema: internalSchema('millrace/deferred'), writers: ['inference'], readers: ['cli'] },
    // Who reads them is not ours to know.
    ...Object.entries(pipeline.pushes).map(([name, push]): Draft => ({
      name: topics.pushes[name]!, kind: 'pushes', ...answer, schema: schemas.pushes[name], writers: ['inference', 'cli'], readers: [],
      ...(push.key !== undefined && { key: `${expressionInWords(push.key)}; where that is missing: ${key}` }),
    })),
  ]; // prettier-ignore
};

const internals = (
  pipeline: Pipeline,
  internalSchema: (path: string) => string | undefined,
): readonly Draft[] => {
  const topics = topicsOf(pipeline);
  const own = { writers: ['feature'], readers: ['feature'] } as const;
  const lanes: readonly (readonly [name: string, key: string])[] = [
    ...Object.entries(topics.repartition).map(([key, name]) => [name, key] as const),
    ...(topics.release === undefined ? [] : [[topics.release, pipeline.entity] as const]),
  ];
  const lane = {
    kind: 'repartition',
    config: kept(days(INTERNAL_RETENTION_DAYS)),
    schema: internalSchema('millrace/repartition'),
  } as const;
  return [
    ...lanes.map(([name, key]): Draft => ({ name, key: `${key}; of a marker: its lane`, ...lane, ...own })),
    { name: topics.changelog, kind: 'changelog', key: 'stage and key of state', config: RESTORED, ...own },
    { name: topics.progress, kind: 'progress', key: 'stage and task', config: RESTORED, schema: internalSchema('millrace/progress'), ...own },
    // As long as events, which can be cut into the same epochs again as long as these are known.
    { name: topics.epochs, kind: 'epochs', key: 'task', config: kept(days(EVENTS_RETENTION_DAYS)), schema: internalSchema('millrace/epochs'), writers: ['feature'], readers: ['feature', 'cli'] },
    ...(hasSeveralSets(pipeline)
      ? [{ name: topics.cuts, kind: 'cuts', key: 'task', config: TABLE, schema: internalSchema('millrace/cuts'), writers: ['inference'], readers: ['inference', 'cli'] } as const]
      : []),
  ]; // prettier-ignore
};

const deadLetters = (topic: Topic): Topic => ({
  name: deadLetterTopic(topic.name),
  kind: 'dead-letters',
  pipeline: topic.pipeline,
  partitions: topic.partitions,
  config: withRoom(kept(days(ANSWERS_RETENTION_DAYS))),
  key: 'as in the topic they come from',
  value: undefined,
  writers: topic.readers,
  readers: ['cli'],
});

/** Where letters of a topic are sent again: same partitions and readers, written by nobody but the command line. */
const aside = ({ value, ...topic }: Topic): Topic => {
  const name = asideTopic(topic.name);
  return {
    ...topic,
    name,
    kind: 'aside',
    config: withRoom(kept(days(ANSWERS_RETENTION_DAYS))),
    value: value && { ...value, subject: valueSubject(name) },
    writers: ['cli'],
  };
};

/**
 * Kinds that are read record by record, so that a record can be bad; the others are tables of our own writing. What lies
 * aside has its letters where those of its topic are.
 */
const READ_BY_RECORD: ReadonlySet<TopicKind> = new Set([
  'events',
  'features',
  'predictions',
  'deferred',
  'repartition',
]);
/** Of the features, the feature service writes aside too: that topic is among the answers. */
const HAVE_ASIDE: ReadonlySet<TopicKind> = new Set(['events', 'predictions', 'deferred']);

const pipelineTopics = (pipeline: Pipeline, source: SchemaSource): readonly Topic[] => {
  const schemas = schemasOf(pipeline, source);
  const compacted = (path: string): string | undefined => {
    const text = source(path);
    return text === undefined ? undefined : compactSchema(text);
  };
  const events = Object.entries(topicsOf(pipeline).events).map(([stream, name]): Draft => ({
    name,
    kind: 'events',
    key: pipeline.events[stream]!.keys[0] ?? pipeline.entity,
    config: pipeline.events[stream]!.table === true ? REFERENCE : kept(days(EVENTS_RETENTION_DAYS)),
    schema: schemas.events[stream],
    writers: ['producers', 'ingest', 'cli'],
    readers: ['feature'],
  }));
  const drafts = [
    ...events,
    ...answers(pipeline, schemas, source, compacted),
    ...internals(pipeline, compacted),
  ];
  return drafts.flatMap(({ schema, written, ...draft }) => {
    const subject = valueSubject(draft.name);
    const topic: Topic = {
      ...draft,
      pipeline: pipeline.name,
      partitions: pipeline.partitions,
      value: schema === undefined ? undefined : { subject, schema, ...(written && { written }) },
    };
    return [
      topic,
      ...(HAVE_ASIDE.has(topic.kind) ? [aside(topic)] : []),
      ...(READ_BY_RECORD.has(topic.kind) ? [deadLetters(topic)] : []),
    ];
  });
};

/** Those of a pipeline, and what each further version of its feature set has of its own. */
const topicsOfSets = (pipeline: Pipeline, source: SchemaSource): readonly Topic[] => {
  const own = pipelineTopics(pipeline, source);
  const names = new Set(own.map(({ name }) => name));
  const [, ...beside] = everySet(pipeline);
  const further = beside.flatMap(set => pipelineTopics(set, source));
  return [...own, ...further.filter(({ name }) => !names.has(name))];
};

const houseTopics = (source: SchemaSource): readonly Topic[] => {
  const { control, features, audit, models, lineage, runs, redrives } = MILLRACE_TOPICS;
  const valueOf = (name: string, path: string): Topic['value'] => {
    const text = source(path);
    return text === undefined ? undefined : { subject: valueSubject(name), schema: compactSchema(text) };
  };
  const house = { pipeline: undefined, partitions: 1, writers: ['cli'], readers: ['cli'] } as const;
  const record = { ...house, kind: 'record', value: undefined } as const;
  return [
    { ...house, name: control, kind: 'control', config: TABLE, key: '<pipeline>/<kind>/<name>', value: valueOf(control, 'millrace/control'), readers: ['inference', 'cli'] },
    { ...house, name: features, kind: 'record', config: TABLE, key: '<pipeline>/<kind>/<name>/v<version>', value: valueOf(features, 'millrace/publication'), readers: ['feature', 'cli'] },
    { ...record, name: audit, config: kept(FOREVER), key: 'what the change is about' },
    { ...record, name: models, config: kept(FOREVER), key: 'model name' },
    { ...record, name: lineage, config: kept(days(EVENTS_RETENTION_DAYS)), key: 'run or job id' },
    { ...record, name: runs, config: kept(FOREVER), key: 'run id', value: valueOf(runs, 'millrace/run'), readers: ['feature', 'cli'] },
    { ...record, name: redrives, config: kept(days(EVENTS_RETENTION_DAYS)), key: 'the letter', value: valueOf(redrives, 'millrace/redrive') },
  ]; // prettier-ignore
};

/**
 * Every topic, derived from the pipelines, with those of the house. Event schemas are read from `schemas`; features and
 * predictions are generated from the definitions.
 * @throws Error when an event schema is missing, or two pipelines claim one topic
 */
export const catalogue = (
  pipelines: readonly Pipeline[],
  schemas: SchemaSource = repositorySchemas,
): readonly Topic[] => {
  const topics = [...pipelines.flatMap(p => topicsOfSets(p, schemas)), ...houseTopics(schemas)];
  const twice = topics.find((t, i) => topics.findIndex(other => other.name === t.name) !== i);
  if (twice !== undefined) throw new Error(`topic '${twice.name}' is claimed twice`);
  return topics;
};
