import type { Clock } from '@millrace/telemetry';
import type { Broker } from '../broker/port.ts';
import { memoryAdmin } from './admin.ts';
import { memoryClient } from './client.ts';
import { MemoryCluster, type Network } from './cluster.ts';
import { MemoryMembership } from './membership.ts';
import { memoryProducer, memoryTransactionalProducer } from './producer.ts';
import { readPartitions } from './read.ts';

export interface MemoryBrokerOptions {
  /** Append times, sessions and transaction time-outs go by it. */
  readonly clock: Clock;
  /** Runs a step later. Everything that the broker does passes through it, so a simulation can decide the order. */
  readonly schedule?: Network['schedule'];
  /** Default: nothing is lost. */
  readonly loses?: Network['loses'];
  /** Records of one fetched run at most. Default 500. */
  readonly runRecordsMax?: number;
}

const RUN_RECORDS_MAX = 500;

/** Kafka in memory, for tests, simulations and demonstrations without Java. */
export interface MemoryBroker extends Broker {
  /** Name of this client, as its steps carry it. */
  readonly name: string;
  /** Another client of the same cluster, as another process would have it. */
  connect(): MemoryBroker;
  /**
   * What kill -9 or SIGSTOP does to a process: its members go silent and lose their sessions in time, while calls
   * still made through it arrive like those of a zombie.
   */
  silence(): void;
  /** What SIGCONT does: members whose sessions last go on, the others join anew. */
  speak(): void;
  /** Keeps the newest record of each key in what is committed, with its offset. */
  compact(topic: string, tombstones?: 'keep' | 'drop'): void;
  /** What retention does: the partition begins at the offset. */
  dropBefore(topic: string, partition: number, offset: number): void;
}

export const memoryBroker = ({
  clock,
  schedule,
  loses,
  runRecordsMax = RUN_RECORDS_MAX,
}: MemoryBrokerOptions): MemoryBroker =>
  connectTo(
    new MemoryCluster(clock, {
      schedule: schedule ?? (step => setImmediate(step)),
      loses: loses ?? (() => false),
      runRecordsMax,
    }),
    { made: 0, open: 0 },
  );

const connectTo = (cluster: MemoryCluster, count: { made: number; open: number }): MemoryBroker => {
  const name = `client-${++count.made}`;
  count.open++;
  const client = memoryClient(cluster, name);
  const memberships = new Set<MemoryMembership>();
  const stopping = new AbortController();
  let joined = 0;
  return {
    name,
    admin: memoryAdmin(client, 'memory'),
    producer: () => client.request('producer', () => memoryProducer(client)),
    transactionalProducer: id => memoryTransactionalProducer(client, id),
    join: async (options, listener) => {
      const id = `${name}-${++joined}`;
      const membership = await client.request('join', () => {
        for (const topic of options.topics) cluster.topic(topic);
        return new MemoryMembership(client, id, options, listener);
      });
      memberships.add(membership);
      cluster.schedule(() => membership.start(), { kind: 'request', client: name, what: 'joinGroup' });
      return membership;
    },
    read: options => {
      const signals = [stopping.signal, ...(options.signal === undefined ? [] : [options.signal])];
      return readPartitions(client, { ...options, signal: AbortSignal.any(signals) });
    },
    close: async () => {
      stopping.abort(new Error('the broker is closed'));
      await Promise.all([...memberships].map(membership => membership.leave()));
      if (--count.open === 0) cluster.close();
    },
    connect: () => connectTo(cluster, count),
    silence: () => {
      for (const membership of memberships) membership.silence();
    },
    speak: () => {
      for (const membership of memberships) membership.speak();
    },
    compact: (topic, tombstones = 'keep') => cluster.compact(topic, tombstones),
    dropBefore: (topic, partition, offset) => cluster.log(topic, partition).dropBefore(offset),
  };
};
