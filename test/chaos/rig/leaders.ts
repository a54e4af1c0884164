/** Leaders, and with them coordinators, are moved by Kafka's own tools: the order of replicas is turned, then elected. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Rig } from './rig.ts';
import { kafkaTool } from './tools.ts';

export interface Partitions {
  readonly topic: string;
  readonly partitions: number;
}

/** Topics in which groups and transactions are kept, with the partitions that the local stack gives them. */
export const COORDINATORS: readonly Partitions[] = [
  { topic: '__consumer_offsets', partitions: 10 },
  { topic: '__transaction_state', partitions: 10 },
];
const REASSIGN = 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand';
const ELECT = 'org.apache.kafka.tools.LeaderElectionCommand';

/** @param turn which of the three brokers comes first; another turn is another leader for every partition */
export const moveLeaders = async (
  { stack, directory, options }: Pick<Rig, 'stack' | 'directory' | 'options'>,
  topics: readonly Partitions[],
  turn: number,
): Promise<void> => {
  const partitions = topics.flatMap(({ topic, partitions: count }) =>
    Array.from({ length: count }, (_, partition) => ({
      topic,
      partition,
      replicas: [0, 1, 2].map(i => ((partition + turn + i) % 3) + 1),
    })),
  );
  const file = join(directory, `leaders-${turn}.json`);
  writeFileSync(file, JSON.stringify({ version: 1, partitions }));
  const server = ['--bootstrap-server', stack.kafka];
  const reassign = [...server, '--reassignment-json-file', file, '--execute'];
  await kafkaTool(REASSIGN, reassign, options.signal);
  const elect = [...server, '--election-type', 'preferred', '--path-to-json-file', file];
  await kafkaTool(ELECT, elect, options.signal);
};
