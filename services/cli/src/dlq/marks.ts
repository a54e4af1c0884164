/** Which letters were sent again: a mark for each, written in the transaction that sends it. */
import { randomBytes } from 'node:crypto';
import { openCodec } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Redrive } from '@millrace/contracts';
import type { OutRecord, PartitionOffset, RecordRun, TransactionalProducer } from '@millrace/stream';
import type { World } from '../world/prepare.ts';
import { wholeTopic } from '../world/slice.ts';

const TOPIC = MILLRACE_TOPICS.redrives;
/** Brokers end a transaction that nobody ends at its time-out, which is a third of this. */
const HIDDEN_MS_MAX = 60_000;

export class Marks {
  readonly #topicId: string;
  readonly #redriven: ReadonlySet<string>;

  constructor(topicId: string, redriven: ReadonlySet<string>) {
    this.#topicId = topicId;
    this.#redriven = redriven;
  }

  has(letter: PartitionOffset): boolean {
    return this.#redriven.has(keyOf(this.#topicId, letter));
  }
}

/** The id of the topic keeps letters apart from those of an earlier topic of the same name. */
const keyOf = (topicId: string, { partition, offset }: PartitionOffset): string =>
  `${topicId}/${partition}/${offset}`;

/** Kafka's id of a topic. @throws Error with the remedy where there is none */
export const topicIdOf = async ({ broker }: World, name: string): Promise<string> => {
  const [found] = await broker.admin.describeTopics([name]);
  if (found === undefined) throw new Error(`no topic ${name}; run: millrace topics apply --execute`);
  return found.id;
};

/** Keys of the topic's marks in a run. */
const keysIn = (run: RecordRun, topicId: string): readonly string[] =>
  Array.from({ length: run.length }, (_, i) => Buffer.from(run.key(i) ?? []).toString()).filter(key =>
    key.startsWith(`${topicId}/`),
  );

/** The marks of one dead letter topic that can be read now: for who only looks. */
export const marksOf = async (world: World, topicId: string): Promise<Marks> => {
  await topicIdOf(world, TOPIC);
  const redriven = new Set<string>();
  for await (const run of await wholeTopic(world.broker, TOPIC))
    for (const key of keysIn(run, topicId)) redriven.add(key);
  return new Marks(topicId, redriven);
};

/**
 * All marks of one dead letter topic, for who sends: call it after fencing the runs before. A run over another topic that
 * was killed leaves a transaction open, and what was committed behind its beginning cannot be read until brokers end it.
 * So a record of our own is committed first: once that can be read, so can every mark before it.
 * @throws Error where it does not come to be read
 */
export const allMarksOf = async (
  { broker, clock }: World,
  topicId: string,
  producer: TransactionalProducer,
  signal: AbortSignal,
): Promise<Marks> => {
  const own = `${topicId}/begun/${randomBytes(8).toString('hex')}`;
  await producer.send([{ topic: TOPIC, partition: 0, key: Buffer.from(own), value: null }]);
  await producer.commit();
  const over = new AbortController();
  const reading = AbortSignal.any([signal, over.signal]);
  clock.sleep(HIDDEN_MS_MAX, reading).then(() => over.abort(), () => undefined); // prettier-ignore
  const redriven = new Set<string>();
  try {
    for await (const run of broker.read({ from: { topic: TOPIC, at: 'beginning' }, signal: reading })) {
      for (const key of keysIn(run, topicId)) redriven.add(key);
      if (redriven.has(own)) return new Marks(topicId, redriven);
    }
  } finally {
    over.abort();
  }
  signal.throwIfAborted();
  throw new Error(
    `${TOPIC}: a transaction has been open for more than ${HIDDEN_MS_MAX / 1000} s, and hides what was sent again: ` +
      'kafka-transactions.sh find-hanging names it',
  );
};

/** Makes the mark of a letter, ready to be sent with its copy. */
export const markWriter = async ({ registry }: World): Promise<(mark: Redrive) => OutRecord> => {
  const codec = await openCodec<Redrive>(registry, catalogue([]).find(({ name }) => name === TOPIC)!.value!);
  return mark => ({
    topic: TOPIC,
    partition: 0,
    key: Buffer.from(keyOf(mark.letterTopicId, { topic: TOPIC, partition: mark.letterPartition, offset: mark.letterOffset })), // prettier-ignore
    value: codec.encode(mark),
  });
};
