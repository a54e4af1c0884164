import { type Admin, BrokerError, type PartitionOffset, type TopicDescription } from '../broker/port.ts';
import type { MemoryClient } from './client.ts';
import type { MemoryTopic } from './cluster.ts';
import type { PartitionLog } from './log.ts';

const describe = ({ name, id, logs, config }: MemoryTopic): TopicDescription => ({
  name,
  id,
  partitions: logs.length,
  config,
});

export const memoryAdmin = (client: MemoryClient, clusterId: string): Admin => {
  const { cluster } = client;
  const offsets = (
    what: string,
    topic: string,
    of: (log: PartitionLog) => number,
  ): Promise<readonly PartitionOffset[]> =>
    client.request(what, () =>
      cluster.topic(topic).logs.map((log, partition) => ({ topic, partition, offset: of(log) })),
    );
  return {
    clusterId: () => client.request('clusterId', () => clusterId),
    createTopics: topics =>
      client.request('createTopics', () =>
        topics.filter(topic => cluster.create(topic)).map(({ name }) => name),
      ),
    alterTopic: (name, config) =>
      client.request('alterTopic', () => {
        const topic = cluster.topic(name);
        topic.config = { ...topic.config, ...config };
      }),
    deleteTopics: names => client.request('deleteTopics', () => cluster.delete(names)),
    describeTopics: names =>
      client.request('describeTopics', () =>
        [...cluster.topics.values()]
          .filter(({ name }) => (names === undefined ? !name.startsWith('__') : names.includes(name)))
          .map(describe),
      ),
    beginningOffsets: topic => offsets('beginningOffsets', topic, log => log.beginning),
    endOffsets: (topic, of) =>
      offsets('endOffsets', topic, log => (of === 'written' ? log.end : log.lastStable)),
    offsetsAtTime: (topic, timeMs) => offsets('offsetsAtTime', topic, log => log.offsetAtTime(timeMs)),
    committed: (group, topics, ofTask) =>
      client.request('committed', () => {
        const of = topics.flatMap(topic =>
          (cluster.topics.get(topic)?.logs ?? []).map((_, partition) => ({ topic, partition })),
        );
        const its = of.filter(({ partition }) => partition === (ofTask ?? partition));
        if (ofTask !== undefined && its.some(at => cluster.isUnstable(group, at)))
          throw new BrokerError(`offsets of group ${group}: UNSTABLE_OFFSET_COMMIT`, { retriable: true });
        return its.flatMap(at => cluster.group(group).committed(at) ?? []);
      }),
    resetOffsets: (group, to) => client.request('resetOffsets', () => cluster.group(group).reset(to)),
    groupMembers: group => client.request('groupMembers', () => cluster.group(group).size),
  };
};
