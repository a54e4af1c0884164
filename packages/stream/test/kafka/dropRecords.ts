import type { PartitionOffset } from '../../src/broker/port.ts';
import { kafkajs } from '../../src/kafka/internals.ts';

/** Deletes records as retention would. Only tests do it, so it is not part of the port. */
export const dropRecords = async (
  bootstrapServers: string,
  { topic, partition, offset }: PartitionOffset,
): Promise<void> => {
  const brokers = bootstrapServers.split(',');
  const admin = new kafkajs.Kafka({ brokers, clientId: 'drop', logLevel: kafkajs.logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    await admin.fetchTopicOffsets(topic); // It deletes only where it knows the leaders.
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  } finally {
    await admin.disconnect();
  }
};
