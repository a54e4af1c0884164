import type { PartitionOffset, TopicPartition } from '../broker/port.ts';
import type { Coordinator } from './coordinator.ts';
import { exactOffset } from './exact.ts';
import { fetchOffsets } from './fetchOffsets.ts';
import type { Cluster } from './internals.ts';

/** Which offset of each partition: the first, the last stable one, or the first appended at or after a time. */
export type OffsetSought = { readonly fromBeginning: boolean } | { readonly fromTimestamp: number };

/**
 * The topic must be known to the cluster (`learnTopics`). An offset of -1 means that there is none. kafkajs asks the
 * leaders it knows of and learns nothing from a refusal: after a failure they are learnt anew, for who asks again.
 */
export const listOffsets = async (
  cluster: Cluster,
  topic: string,
  sought: OffsetSought,
): Promise<readonly PartitionOffset[]> => {
  const partitions = cluster
    .findTopicPartitionMetadata(topic)
    .map(({ partitionId }) => ({ partition: partitionId }));
  const found = await cluster
    .fetchTopicsOffset([{ topic, partitions, ...sought }])
    .catch(async (error: unknown) => {
      await cluster.refreshMetadata().catch(() => undefined); // The next attempt says what is wrong.
      throw error;
    });
  return found
    .flatMap(({ partitions }) =>
      partitions.map(at => ({ topic, partition: at.partition, offset: exactOffset(at.offset) })),
    )
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
