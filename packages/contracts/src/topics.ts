import type { Pipeline } from '@millrace/define';

/** Names of every topic of one pipeline. */
export interface PipelineTopics {
  /** Stream name -> topic: `transactions` -> `fraud.transactions.v1`. */
  readonly events: Readonly<Record<string, string>>;
  /** Topic of the stream that is scored. */
  readonly scored: string;
  /** Compacted: the newest vector of each entity. One topic per feature set version. */
  readonly features: string;
  /** Vectors older than their entity's newest, and redriven ones; not compacted. */
  readonly aside: string;
  readonly predictions: string;
  /** Vectors put off until the night. */
  readonly deferred: string;
  /** Name of a push -> topic: `alerts` -> `credit.alerts.v1`. */
  readonly pushes: Readonly<Record<string, string>>;
  /** Stage key after the first -> topic through which events reach that stage. Empty with one stage. */
  readonly repartition: Readonly<Record<string, string>>;
  /** From the last stage back to the pipeline's entity; undefined with one stage. */
  readonly release: string | undefined;
  /** State of every stage, compacted. */
  readonly changelog: string;
  /** Heads and progress of epochs, compacted. */
  readonly progress: string;
  /** Which records went into which live epoch, where any are cut. */
  readonly epochs: string;
  /** From which event on which version of the feature set answers, compacted; there where the pipeline has several. */
  readonly cuts: string;
}

/** Topics of the house that belong to no pipeline. */
export const MILLRACE_TOPICS = {
  /** Compacted: what is in force. */
  control: 'millrace.control.v1',
  /** Compacted: feature views and sets as they were published. */
  features: 'millrace.features.v1',
  /** Never compacted: what was in force when. */
  audit: 'millrace.audit.v1',
  models: 'millrace.models.v1',
  lineage: 'millrace.lineage.v1',
  /** Never compacted: the stretches that runs were over, and what came of them. */
  runs: 'millrace.runs.v1',
  /** Which dead letters were sent again, and when. */
  redrives: 'millrace.redrives.v1',
} as const;

const ASIDE = '.aside';

/** Beside a topic, read by the same tasks: what is sent again, so that others who read the topic see it once. */
export const asideTopic = (topic: string): string => (topic.endsWith(ASIDE) ? topic : `${topic}${ASIDE}`);

/**
 * Dead letters of one input topic and of what lies aside of it: original key, bytes and headers, with `__dlq.errors.*`.
 */
export const deadLetterTopic = (topic: string): string =>
  `${topic.endsWith(ASIDE) ? topic.slice(0, -ASIDE.length) : topic}.dlq`;

/** Subject under which the value schema of a topic is registered. */
export const valueSubject = (topic: string): string => `${topic}-value`;

/** Keys of the feature stages in order: those of the scored stream; the first one keys its topic. */
export const stageKeys = (pipeline: Pipeline): readonly string[] => pipeline.events[pipeline.scores]!.keys;

const hyphened = (name: string): string =>
  name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('_', '-')
    .toLowerCase();

export const topicsOf = (pipeline: Pipeline): PipelineTopics => {
  const p = pipeline.name;
  const set = `v${pipeline.features.version}`;
  const features = `${p}.features.${set}`;
  // Versions of a set live side by side while one is built from history, so each has its own.
  const internal = `${p}.feature.${set}`;
  const [, ...further] = stageKeys(pipeline);
  const events = Object.fromEntries(Object.keys(pipeline.events).map(s => [s, `${p}.${s}.v1`]));
  return {
    events,
    scored: events[pipeline.scores]!,
    features,
    aside: asideTopic(features),
    predictions: `${p}.predictions.v1`,
    deferred: `${p}.deferred.v1`,
    pushes: Object.fromEntries(Object.keys(pipeline.pushes).map(name => [name, `${p}.${name}.v1`])),
    repartition: Object.fromEntries(further.map(key => [key, `${internal}.${hyphened(key)}.repartition`])),
    release: further.length > 0 ? `${internal}.release.repartition` : undefined,
    changelog: `${internal}.state.changelog`,
    progress: `${internal}.progress`,
    epochs: `${internal}.epochs`,
    cuts: `${p}.inference.cuts`,
  };
};

/** Group in which a service reads the topics of a pipeline. Versions of a set run side by side, each in its own. */
export const consumerGroup = (service: 'feature' | 'inference' | 'sink', pipeline: Pipeline): string =>
  service === 'feature'
    ? `millrace.feature.${pipeline.name}.v${pipeline.features.version}`
    : `millrace.${service}.${pipeline.name}`;

/** Under which name the command line sends dead letters again. */
export const REDRIVE_GROUP = 'millrace.redrive';

/** Begin of the transactional ids of a group: one for each task, whose number follows. */
export const transactionalIdPrefix = (group: string): string => `tx.${group}.`;
