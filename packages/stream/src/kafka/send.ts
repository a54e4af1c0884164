import type { TopicPartition } from '../broker/port.ts';
import type { PartitionBatches } from './batches.ts';
import { type KafkaOptions, leaderOf, learnTopics, REQUEST_TIMEOUT_MS, RETRY_MS_MAX } from './connect.ts';
import { isRefusedForNow, isUnanswered, typeOf } from './errors.ts';
import type { Cluster, OutMessage } from './internals.ts';
import { retrying } from './retry.ts';

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

export const learn = (cluster: Cluster, topics: readonly string[], { clock }: KafkaOptions): Promise<void> =>
  retrying(() => learnTopics(cluster, topics), {
    clock,
    again: isRefusedForNow,
    forMs: UNKNOWN_TOPIC_MS_MAX,
    waitMsMin: 20,
  });

/**
 * Sends batches of one partition, one after the other, outside a transaction. This is the whole of the producer's rules:
 * one topic and partition per request, one request under way per partition (the caller's lane), an explicit partition,
 * and a batch that is tried again keeps its sequence number, so that the broker knows a doubled one.
 */
export const sendBatches = async (
  cluster: Cluster,
  sender: Sender,
  { topic, partition, batches }: PartitionBatches,
  options: KafkaOptions,
): Promise<void> => {
  const name = nameOf({ topic, partition });
  for (const { messages } of batches) {
    const firstSequence = sender.sequences.get(name) ?? 0;
    await sendOne(cluster, sender, { topic, partition, firstSequence, messages }, options);
    sender.sequences.set(name, (firstSequence + messages.length) % SEQUENCES);
  }
};

interface Sequenced extends TopicPartition {
  readonly firstSequence: number;
  readonly messages: readonly OutMessage[];
}

const sendOne = async (
  cluster: Cluster,
  { producerId, producerEpoch }: Sender,
  { topic, partition, firstSequence, messages }: Sequenced,
  options: KafkaOptions,
): Promise<void> => {
  const { clock, requestTimeoutMs = REQUEST_TIMEOUT_MS, retryMsMax = RETRY_MS_MAX } = options;
  let attempts = 0;
  const produce = async (): Promise<void> => {
    const node = await cluster.findBroker({ nodeId: leaderOf(cluster, topic, partition) });
    attempts++;
    await node.produce({
      producerId,
      producerEpoch,
      acks: -1,
      // The broker answers before we stop listening.
      timeout: Math.ceil(requestTimeoutMs * 0.8),
      topicData: [{ topic, partitions: [{ partition, firstSequence, messages }] }],
    });
  };
  try {
    await retrying(produce, {
      clock,
      again: error => isRefusedForNow(error) || isUnanswered(error),
      forMs: retryMsMax,
      failed: () => cluster.refreshMetadata().catch(() => undefined), // The next attempt says what is wrong.
    });
  } catch (error) {
    // The broker has it: an earlier attempt arrived, only its answer did not.
    if (attempts < 2 || typeOf(error) !== 'DUPLICATE_SEQUENCE_NUMBER') throw error;
  }
};

/**
 * Sends batches of many partitions within a transaction: in each round the next batch of every partition, one request a
 * leader. A transaction's requests wait for each other on their connection, so a request a partition made commits slow.
 * Retried whole when refused: the broker knows the batches that it took by their sequence numbers. Whatever else fails
 * ends the transaction, so no partition can be left out unseen.
 */
export const sendRounds = async (
  cluster: Cluster,
  sender: Sender,
  partitions: readonly PartitionBatches[],
  options: KafkaOptions,
): Promise<void> => {
  const rounds = Math.max(...partitions.map(({ batches }) => batches.length));
  for (let round = 0; round < rounds; round++) {
    const due = partitions.flatMap(({ topic, partition, batches }) => {
      const batch = batches[round];
      const firstSequence = sender.sequences.get(nameOf({ topic, partition })) ?? 0;
      return batch === undefined ? [] : [{ topic, partition, firstSequence, messages: batch.messages }];
    });
    await sendTogether(cluster, sender, due, options);
    for (const { firstSequence, messages, ...at } of due)
      sender.sequences.set(nameOf(at), (firstSequence + messages.length) % SEQUENCES);
  }
};

const sendTogether = async (
  cluster: Cluster,
  { producerId, producerEpoch, transactionalId }: Sender,
  due: readonly Sequenced[],
  { clock, requestTimeoutMs = REQUEST_TIMEOUT_MS, retryMsMax = RETRY_MS_MAX }: KafkaOptions,
): Promise<void> => {
  const toLeader = async (nodeId: number, batches: readonly Sequenced[]): Promise<void> => {
    const node = await cluster.findBroker({ nodeId });
    const topicData = [...Map.groupBy(batches, ({ topic }) => topic)].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition, firstSequence, messages }) => ({
        partition,
        firstSequence,
        messages,
      })),
    }));
    const timeout = Math.ceil(requestTimeoutMs * 0.8);
    await node.produce({
      transactionalId: transactionalId!,
      producerId,
      producerEpoch,
      acks: -1,
      timeout,
      topicData,
    });
  };
  const produce = (): Promise<void> => {
    const byLeader = Map.groupBy(due, ({ topic, partition }) => leaderOf(cluster, topic, partition));
    return allSettled([...byLeader].map(([nodeId, batches]) => toLeader(nodeId, batches)));
  };
  await retrying(produce, {
    clock,
    again: isRefusedForNow,
    forMs: retryMsMax,
    failed: () => cluster.refreshMetadata().catch(() => undefined), // The next attempt says what is wrong.
  });
};

/** Runs calls of one partition one after the other, in the order in which they were made. */
export class PartitionLanes {
  readonly #last = new Map<string, Promise<unknown>>();

  run<T>(at: TopicPartition, call: () => Promise<T>): Promise<T> {
    const name = nameOf(at);
    const next = (this.#last.get(name) ?? Promise.resolve()).then(call);
    const settled = next.catch(() => undefined); // The caller hears of it; the next call has its own answer.
    this.#last.set(name, settled);
    void settled.then(() => {
      if (this.#last.get(name) === settled) this.#last.delete(name);
    });
    return next;
  }
}

/** Waits for all, then throws the first failure: nothing of a send is under way when it is reported. */
export const allSettled = async (calls: readonly Promise<unknown>[]): Promise<void> => {
  const failed = (await Promise.allSettled(calls)).find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
};
