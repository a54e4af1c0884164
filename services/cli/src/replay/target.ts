/** Where records may be replayed to, and whom that would make work. */
import { asideTopic, catalogue, consumerGroup, type Topic, type TopicKind } from '@millrace/contracts';
import { everySet, type Pipeline } from '@millrace/define';
import type { Admin, TopicDescription } from '@millrace/stream';
import { UsageError } from '../io.ts';
import { ReplayRefused } from './refused.ts';

export interface Target {
  readonly topic: TopicDescription;
  /** Groups that would compute or score by what is written. The sink is none: it keeps a prediction once, by its id. */
  readonly groups: readonly string[];
}

/** Read record by record, each for itself. */
const TAKE_REPLAYS: ReadonlySet<TopicKind> = new Set(['events', 'features', 'predictions']);

/** What a topic carries: what lies aside of one carries the same. */
const carried = (topics: readonly Topic[], name: string): TopicKind | undefined => {
  const topic = topics.find(one => one.name === name);
  if (topic?.kind !== 'aside') return topic?.kind;
  return topics.find(one => one.kind !== 'aside' && asideTopic(one.name) === name)?.kind;
};

const groupsOf = (pipelines: readonly Pipeline[], { pipeline: name, readers }: Topic): readonly string[] =>
  pipelines
    .filter(pipeline => pipeline.name === name)
    .flatMap(pipeline => [
      ...(readers.includes('feature') ? everySet(pipeline).map(set => consumerGroup('feature', set)) : []),
      ...(readers.includes('inference') ? [consumerGroup('inference', pipeline)] : []),
    ]);

/** @throws UsageError where nothing may be replayed from the one topic to the other */
export const targetOf = (
  pipelines: readonly Pipeline[],
  from: string,
  topic: TopicDescription,
): Target => {
  const { name, config } = topic;
  const topics = catalogue(pipelines);
  const known = topics.find(one => one.name === name);
  if ([config, known?.config].some(of => of?.['cleanup.policy']?.includes('compact')))
    throw new UsageError(
      `${name} is compacted: the last record of a key is the one that counts there, and an old one would take its place; vectors can be replayed to the .aside of their topic (--to-topic)`,
    );
  if (known === undefined) return { topic, groups: [] };
  const [is, wants] = [carried(topics, from), carried(topics, name)];
  if (wants === undefined || !TAKE_REPLAYS.has(wants))
    throw new UsageError(
      `nothing is replayed to ${name} (${wants ?? known.kind}): only to events, predictions, what lies aside of them and of vectors, or a topic of your own`,
    );
  if (is !== undefined && is !== wants)
    throw new UsageError(
      `${from} carries ${is}, and ${name} ${wants}: what is replayed there could not be read${is === 'dead-letters' ? '; send letters again with millrace dlq redrive' : ''}`,
    );
  return { topic, groups: groupsOf(pipelines, known) };
}; // prettier-ignore

/** Of these groups those that have members now, in words. */
export const liveOf = async (admin: Admin, groups: readonly string[]): Promise<readonly string[]> => {
  const members = await Promise.all(groups.map(group => admin.groupMembers(group)));
  return groups.flatMap((group, i) => (members[i]! > 0 ? [`${group} (${members[i]} members)`] : []));
};

/** @throws ReplayRefused where somebody would fold or score what is written */
export const refuseLive = async (admin: Admin, { topic, groups }: Target): Promise<void> => {
  const live = await liveOf(admin, groups);
  if (live.length > 0)
    throw new ReplayRefused(
      `${topic.name} is read by ${live.join(', ')}: stop its processes, run this again, and start them afterwards; or replay to another topic (--to-topic)`,
    );
};
