import { type Admin, BrokerError, type TopicConfig } from '../broker/port.ts';
import { clusterOf, abandonCluster, type KafkaOptions, leaderOf, learnTopics } from './connect.ts';
import { Coordinator, GROUP } from './coordinator.ts';
import { describeTopics, existing } from './describe.ts';
import { isPassing, portError, typeOf } from './errors.ts';
import type { Cluster } from './internals.ts';
import {
  BEGINNING,
  committedOffsets,
  END,
  listOffsets,
  offsetsByTopic,
  type OffsetSought,
} from './offsets.ts';
import { alterTopicSettings, askMetadata } from './requests.ts';
import { retrying } from './retry.ts';

/** Questions of an operator are answered soon or not at all. */
const RETRY_MS_MAX = 15_000;
const TOPIC_CREATION_MS_MAX = 10_000;
/** A commit without a generation: Kafka takes it for a group without members only. */
const NO_GENERATION = -1;

export interface KafkaAdmin extends Admin {
  close(): void;
}

export const kafkaAdmin = (options: KafkaOptions): KafkaAdmin => {
  const { clock } = options;
  const cluster = clusterOf(options);
  const closing = new AbortController();
  const asking = <T>(what: string, call: () => Promise<T>): Promise<T> =>
    retrying(call, {
      clock,
      again: error => isPassing(error) && typeOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION',
      forMs: RETRY_MS_MAX,
      waitMsMin: 20,
      signal: closing.signal,
      failed: () => cluster.refreshMetadata().catch(() => undefined), // The next attempt says what is wrong.
    }).catch((error: unknown) => {
      throw portError(what, error);
    });
  const offsets = (topic: string, sought: OffsetSought, of: 'committed' | 'written' = 'committed') =>
    asking(`offsets of ${topic}`, async () => {
      await learnTopics(cluster, [topic]);
      return listOffsets(cluster, topic, sought, of);
    });
  const group = (id: string): Coordinator => new Coordinator(cluster, id, GROUP);

  return {
    clusterId: () => asking('cluster id', async () => (await askMetadata(cluster, [])).clusterId),
    createTopics: topics => asking('create topics', () => createTopics(cluster, topics, options)),
    alterTopic: (name, config) => asking(`alter ${name}`, () => alterTopicSettings(cluster, name, config)),
    deleteTopics: names => asking('delete topics', () => deleteTopics(cluster, names)),
    describeTopics: names =>
      asking('describe topics', () => describeTopics(cluster, { clock, signal: closing.signal }, names)),
    beginningOffsets: topic => offsets(topic, BEGINNING),
    endOffsets: (topic, of) => offsets(topic, END, of),
    offsetsAtTime: async (topic, timeMs) => {
      const found = await offsets(topic, timeMs);
      const ends = await offsets(topic, END);
      return found.map((at, i) => (at.offset < 0 ? ends[i]! : at));
    },
    committed: (id, topics, ofTask) =>
      asking(`offsets of group ${id}`, async () => {
        const known = await existing(cluster, topics);
        const of = known.flatMap(({ name, partitions }) =>
          Array.from({ length: partitions }, (_, partition) => ({ topic: name, partition })),
        );
        if (ofTask === undefined) return committedOffsets(group(id), id, of);
        const its = of.filter(({ partition }) => partition === ofTask);
        return committedOffsets(group(id), id, its, true);
      }),
    resetOffsets: (id, to) => asking(`reset ${id}`, () => resetOffsets(group(id), id, to)),
    groupMembers: id =>
      asking(`members of ${id}`, async () => {
        const { groups } = await group(id).ask(node => node.describeGroups({ groupIds: [id] }));
        return groups[0]?.members.length ?? 0;
      }),
    close: () => {
      closing.abort(new Error('the broker is closed'));
      abandonCluster(cluster);
    },
  };
};

const createTopics = async (
  cluster: Cluster,
  topics: readonly TopicConfig[],
  { clock }: KafkaOptions,
): Promise<readonly string[]> => {
  const names = topics.map(({ name }) => name);
  const there = new Set((await existing(cluster, names)).map(({ name }) => name));
  const missing = topics.filter(({ name }) => !there.has(name));
  if (missing.length > 0) {
    const controller = await cluster.findControllerBroker();
    await controller
      .createTopics({
        timeout: TOPIC_CREATION_MS_MAX,
        topics: missing.map(({ name, partitions, replicationFactor = -1, config = {} }) => ({
          topic: name,
          numPartitions: partitions,
          replicationFactor,
          configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
        })),
      })
      .catch((error: unknown) => {
        // Another process was faster: it is there, which is all that was asked for.
        const errors = (error as { errors?: readonly { type?: string }[] }).errors ?? [];
        if (errors.length === 0 || errors.some(({ type }) => type !== 'TOPIC_ALREADY_EXISTS'))
          throw firstOf(error);
      });
  }
  const led = async (): Promise<void> => {
    await learnTopics(cluster, names);
    await cluster.refreshMetadata();
    for (const { name, partitions } of missing)
      for (let partition = 0; partition < partitions; partition++) leaderOf(cluster, name, partition);
  };
  await retrying(led, { clock, again: isPassing, forMs: TOPIC_CREATION_MS_MAX, waitMsMin: 20 });
  return missing.map(({ name }) => name);
};

// kafkajs gathers the errors of several topics in one that has no type.
const firstOf = (error: unknown): unknown => (error as { errors?: readonly unknown[] }).errors?.[0] ?? error;

const deleteTopics = async (cluster: Cluster, names: readonly string[]): Promise<void> => {
  const there = await existing(cluster, names);
  if (there.length === 0) return;
  const controller = await cluster.findControllerBroker();
  await controller.deleteTopics({ topics: there.map(({ name }) => name), timeout: TOPIC_CREATION_MS_MAX });
};

const resetOffsets = async (
  coordinator: Coordinator,
  groupId: string,
  offsets: readonly { topic: string; partition: number; offset: number }[],
): Promise<void> => {
  const topics = offsetsByTopic(offsets);
  const request = { groupId, groupGenerationId: NO_GENERATION, memberId: '', topics };
  await coordinator
    .ask(node => node.offsetCommit(request))
    .catch((error: unknown) => {
      if (typeOf(error) === 'UNKNOWN_MEMBER_ID' || typeOf(error) === 'ILLEGAL_GENERATION')
        throw new BrokerError(`reset ${groupId}: the group has members`, { retriable: true, cause: error });
      throw error;
    });
};
