/** What an operator does with topics and groups, with Kafka's own tools. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PartitionOffset } from '@millrace/stream';
import { withAdmin } from './admin.ts';
import type { Rig } from './rig.ts';
import { kafkaTool } from './tools.ts';

type On = Pick<Rig, 'stack' | 'directory' | 'options'>;

const tool = ({ stack, options }: On, name: string, args: readonly string[]): Promise<string> =>
  kafkaTool(`org.apache.kafka.tools.${name}`, ['--bootstrap-server', stack.kafka, ...args], options.signal);

export const addPartitions = async (on: On, topic: string, partitions: number): Promise<void> => {
  await tool(on, 'TopicCommand', ['--alter', '--topic', topic, '--partitions', String(partitions)]);
};

/** Removes what lies below the offsets, as retention does; a compacted topic lets it only where it is told to. */
export const deleteBelow = async (on: On, topic: string, offsets: readonly PartitionOffset[]): Promise<void> => {
  const file = join(on.directory, 'delete-below.json');
  const partitions = offsets.map(({ partition, offset }) => ({ topic, partition, offset }));
  writeFileSync(file, JSON.stringify({ version: 1, partitions }));
  await withAdmin(on, admin => admin.alterTopic(topic, { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' }));
  await tool(on, 'DeleteRecordsCommand', ['--offset-json-file', file]);
  await withAdmin(on, admin => admin.alterTopic(topic, { 'cleanup.policy': 'compact' }));
}; // prettier-ignore

/** Of a group without members. */
export const resetToEarliest = async (
  on: On,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<void> => {
  const what = ['--group', group, '--topic', `${topic}:${partitions.join(',')}`];
  await tool(on, 'consumer.group.ConsumerGroupCommand', [
    ...what,
    '--reset-offsets',
    '--to-earliest',
    '--execute',
  ]);
};

export const deleteGroup = async (on: On, group: string): Promise<void> => {
  await tool(on, 'consumer.group.ConsumerGroupCommand', ['--delete', '--group', group]);
};
