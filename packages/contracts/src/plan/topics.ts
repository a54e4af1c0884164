import type { Topic } from '../catalogue.ts';

/** A topic as the cluster describes it. */
export interface ExistingTopic {
  readonly name: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

/** What would be done for one topic. */
export interface TopicStep {
  readonly topic: Topic;
  readonly action: 'none' | 'create' | 'alter' | 'refuse';
  /** Settings that differ; empty unless `alter`. */
  readonly changes: readonly {
    readonly name: string;
    readonly from: string | undefined;
    readonly to: string;
  }[];
  /** For `refuse` only. */
  readonly reason: string | undefined;
}

const step = (topic: Topic, existing: ExistingTopic | undefined): TopicStep => {
  if (existing === undefined) return { topic, action: 'create', changes: [], reason: undefined };
  if (existing.partitions !== topic.partitions)
    return {
      topic,
      action: 'refuse',
      changes: [],
      reason: `it has ${existing.partitions} partitions and the definition says ${topic.partitions}: keys would change places, so counts never change live; publish a new pipeline, or migrate to new topics`,
    };
  const changes = Object.entries(topic.config)
    .filter(([name, to]) => existing.config[name] !== to)
    .map(([name, to]) => ({ name, from: existing.config[name], to }));
  return { topic, action: changes.length > 0 ? 'alter' : 'none', changes, reason: undefined };
};

/** What to create and alter so that the cluster holds these topics; settings that we do not state are left alone. */
export const topicPlan = (
  topics: readonly Topic[],
  existing: readonly ExistingTopic[],
): readonly TopicStep[] => {
  const found = new Map(existing.map(one => [one.name, one]));
  return topics.map(topic => step(topic, found.get(topic.name)));
};
