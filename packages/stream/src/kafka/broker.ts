import type { Broker } from '../broker/port.ts';
import { kafkaAdmin } from './admin.ts';
import type { KafkaOptions } from './connect.ts';
import { assertPatched, kafkajs } from './internals.ts';
import { joinGroup, type KafkaMembership } from './membership.ts';
import { idempotentProducer } from './producer.ts';
import { readPartitions } from './read.ts';
import { transactionalProducer } from './transactional.ts';

/**
 * Kafka behind the port. Every producer, membership and read has connections of its own, because the broker answers the
 * requests of one connection one after the other. Nothing connects before it is used.
 * @throws Error where kafkajs is not the one that we patched.
 */
export const kafkaBroker = (options: KafkaOptions): Broker => {
  assertPatched(kafkajs);
  const admin = kafkaAdmin(options);
  const stopping = new AbortController();
  const memberships = new Set<KafkaMembership>();
  const producers = new Set<{ close(): Promise<void> }>();

  const kept = async <T extends { close(): Promise<void> }>(producer: Promise<T>): Promise<T> => {
    const made = await producer;
    producers.add(made);
    return made;
  };
  return {
    admin,
    producer: () => kept(idempotentProducer(options)),
    transactionalProducer: id => kept(transactionalProducer(id, options)),
    join: async (group, listener) => {
      const membership = await joinGroup(options, group, listener);
      memberships.add(membership);
      return membership;
    },
    read: read => {
      const signals = [stopping.signal, ...(read.signal === undefined ? [] : [read.signal])];
      return readPartitions(options, { ...read, signal: AbortSignal.any(signals) });
    },
    close: async () => {
      stopping.abort(new Error('the broker is closed'));
      await Promise.all([...memberships].map(membership => membership.leave()));
      await Promise.all([...producers].map(producer => producer.close()));
      admin.close();
    },
  };
};
