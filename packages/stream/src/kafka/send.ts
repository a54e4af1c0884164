import type { TopicPartition } from '../broker/port.ts';
import { type Batch, type PartitionBatches, requestsOf } from './batches.ts';
import {
  areKnown,
  type KafkaOptions,
  leaderOf,
  learnTopics,
  REQUEST_TIMEOUT_MS,
  RETRY_MS_MAX,
} from './connect.ts';
import { isRefusedForNow, isUnanswered } from './errors.ts';
import type { Cluster } from './internals.ts';
import { produce as produceOwn } from './produce.ts';
import { retrying } from './retry.ts';
import { produceStock } from './stock.ts';

const SEQUENCES = 2 ** 31;
/** A topic just created may not be known to every broker yet. */
const UNKNOWN_TOPIC_MS_MAX = 5_000;

/** Who sends: the id that Kafka gave out, and the next sequence number per partition. Never used again after a failure. */
export interface Sender {
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly transactionalId?: string;
  readonly sequences: Map<string, number>;
}

const nameOf = ({ topic, partition }: TopicPartition): string => `${topic}/${partition}`;

/** Every send asks for it, and nearly always all is known. */
export const learn = (cluster: Cluster, topics: readonly string[], { clock }: KafkaOptions): Promise<void> =>
  areKnown(cluster, topics, clock.now())
    ? Promise.resolve()
    : retrying(() => learnTopics(cluster, topics), {
        clock,
        again: isRefusedForNow,
        forMs: UNKNOWN_TOPIC_MS_MAX,
        waitMsMin: 20,
      });

interface Sequenced extends TopicPartition, Batch {
  readonly firstSequence: number;
}

/**
 * Sends batches of many partitions: in each round the next batch of every partition, one request a leader, and more
 * where it would pass the limit of a request. The requests of a connection wait for each other, so a request a partition
 * would make sends slow. This is the whole of the producer's rules: one batch under way per partition (the caller's
 * lanes), an explicit partition, and what is tried again keeps its sequence numbers: the broker knows the batches that
 * it took already. Whatever else fails ends the sender, so no partition can be left out unseen.
 * @param unansweredAgain whether a request without an answer may be tried again: not within a transaction, where a late
 *   one could reach the next transaction.
 */
export const sendRounds = async (
  cluster: Cluster,
  sender: Sender,
  partitions: readonly PartitionBatches[],
  options: KafkaOptions,
  unansweredAgain: boolean,
): Promise<void> => {
  const rounds = Math.max(...partitions.map(({ batches }) => batches.length));
  for (let round = 0; round < rounds; round++) {
    const due = partitions.flatMap(({ topic, partition, batches }) => {
      const batch = batches[round];
      const firstSequence = sender.sequences.get(nameOf({ topic, partition })) ?? 0;
      return batch === undefined ? [] : [{ topic, partition, firstSequence, ...batch }];
    });
    for (const together of requestsOf(due)) {
      await sendTogether(cluster, sender, together, options, unansweredAgain);
      for (const { firstSequence, records, topic, partition } of together)
        sender.sequences.set(nameOf({ topic, partition }), (firstSequence + records.length) % SEQUENCES);
    }
  }
};

const sendTogether = async (
  cluster: Cluster,
  { producerId, producerEpoch, transactionalId }: Sender,
  due: readonly Sequenced[],
  { clock, bytes, requestTimeoutMs = REQUEST_TIMEOUT_MS, retryMsMax = RETRY_MS_MAX }: KafkaOptions,
  unansweredAgain: boolean,
): Promise<void> => {
  const produce = bytes === 'stock' ? produceStock : produceOwn;
  const timestampMs = clock.now();
  const toLeader = async (nodeId: number, batches: readonly Sequenced[]): Promise<void> => {
    const node = await cluster.findBroker({ nodeId });
    const topics = [...Map.groupBy(batches, ({ topic }) => topic)].map(([topic, partitions]) => ({
      topic,
      partitions,
    }));
    await produce(node, {
      ...(transactionalId === undefined ? {} : { transactionalId }),
      producerId,
      producerEpoch,
      // The broker answers before we stop listening.
      timeoutMs: Math.ceil(requestTimeoutMs * 0.8),
      timestampMs,
      topics,
    });
  };
  const again = (error: unknown): boolean =>
    isRefusedForNow(error) || (unansweredAgain && isUnanswered(error));
  const toLeaders = async (): Promise<void> => {
    const byLeader = Map.groupBy(due, ({ topic, partition }) => leaderOf(cluster, topic, partition));
    const answers = await Promise.allSettled(
      [...byLeader].map(([nodeId, batches]) => toLeader(nodeId, batches)),
    );
    const failures = answers.flatMap(answer =>
      answer.status === 'rejected' ? [answer.reason as unknown] : [],
    );
    // Of several failures the one that must not be tried again decides.
    if (failures.length > 0) throw failures.find(error => !again(error)) ?? failures[0];
  };
  await retrying(toLeaders, {
    clock,
    again,
    forMs: retryMsMax,
    failed: () => cluster.refreshMetadata().catch(() => undefined), // The next attempt says what is wrong.
  });
};

/** Runs calls one after the other where they share a partition, in the order in which they were made. */
export class PartitionLanes {
  readonly #last = new Map<string, Promise<void>>();

  run<T>(partitions: readonly TopicPartition[], call: () => Promise<T>): Promise<T> {
    const names = partitions.map(nameOf);
    const before = names.flatMap(name => this.#last.get(name) ?? []);
    const next = Promise.all(before).then(call);
    const ended = (): void => undefined; // The caller hears of it; the next call has its own answer.
    const settled = next.then(ended, ended);
    for (const name of names) this.#last.set(name, settled);
    void settled.then(() => {
      for (const name of names) if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    return next;
  }
}
