import type { PartitionOffset, TopicPartition } from '../broker/port.ts';
import { leaderOf, READ_COMMITTED, READ_UNCOMMITTED } from './connect.ts';
import type { Coordinator } from './coordinator.ts';
import { exactOffset } from './exact.ts';
import { fetchOffsets } from './fetchOffsets.ts';
import type { Cluster } from './internals.ts';

/** Which offset of each partition: the first, the end, or the first appended at or after a time in milliseconds. */
export type OffsetSought = number;
export const BEGINNING: OffsetSought = -2;
export const END: OffsetSought = -1;

/**
 * The topic must be known to the cluster (`learnTopics`). An offset of -1 means that there is none. A leader that was
 * asked in vain may be none any more: they are learnt anew, for who asks again.
 * @param of whether the end is that of committed records, or of all
 */
export const listOffsets = async (
  cluster: Cluster,
  topic: string,
  sought: OffsetSought,
  of: 'committed' | 'written' = 'committed',
): Promise<readonly PartitionOffset[]> => {
  const partitions = cluster.findTopicPartitionMetadata(topic).map(({ partitionId }) => partitionId);
  const byLeader = Map.groupBy(partitions, partition => leaderOf(cluster, topic, partition));
  const isolationLevel = of === 'committed' ? READ_COMMITTED : READ_UNCOMMITTED;
  const ask = async (nodeId: number, its: readonly number[]) => {
    const node = await cluster.findBroker({ nodeId });
    const asked = its.map(partition => ({ partition, timestamp: sought }));
    return node.listOffsets({ isolationLevel, topics: [{ topic, partitions: asked }] });
  };
  const found = await Promise.all([...byLeader].map(([nodeId, its]) => ask(nodeId, its))).catch(
    async (error: unknown) => {
      await cluster.refreshMetadata().catch(() => undefined); // The next attempt says what is wrong.
      throw error;
    },
  );
  return found
    .flatMap(({ responses }) => responses)
    .flatMap(({ partitions }) => partitions)
    .map(at => ({ topic, partition: at.partition, offset: exactOffset(at.offset) }))
    .toSorted((a, b) => a.partition - b.partition);
};

const byTopic = <T extends TopicPartition>(
  offsets: readonly T[],
): readonly (readonly [string, readonly T[]])[] => [...Map.groupBy(offsets, ({ topic }) => topic)];

/** Offsets in the shape of kafkajs's requests. */
export const offsetsByTopic = (
  offsets: readonly PartitionOffset[],
): readonly { topic: string; partitions: readonly { partition: number; offset: string }[] }[] =>
  byTopic(offsets).map(([topic, ofTopic]) => ({
    topic,
    partitions: ofTopic.map(({ partition, offset }) => ({ partition, offset: String(offset) })),
  }));

/** What the group has committed for the partitions; those without are absent. `isStable`: see `fetchOffsets`. */
export const committedOffsets = async (
  coordinator: Coordinator,
  group: string,
  of: readonly TopicPartition[],
  isStable = false,
): Promise<readonly PartitionOffset[]> =>
  of.length === 0 ? [] : coordinator.ask(node => fetchOffsets(node, group, of, isStable));
