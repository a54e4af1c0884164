/** Which letters were sent again: a mark for each, written in the transaction that sends it. */
import { openCodec } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Redrive } from '@millrace/contracts';
import type { OutRecord, PartitionOffset } from '@millrace/stream';
import type { World } from '../world/prepare.ts';
import { wholeTopic } from '../world/slice.ts';

const TOPIC = MILLRACE_TOPICS.redrives;

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

/** The marks of one dead letter topic, committed ones, as they are now. */
export const marksOf = async (world: World, topicId: string): Promise<Marks> => {
  await topicIdOf(world, TOPIC);
  const redriven = new Set<string>();
  for await (const run of await wholeTopic(world.broker, TOPIC))
    for (let i = 0; i < run.length; i++) {
      const key = Buffer.from(run.key(i) ?? []).toString();
      if (key.startsWith(`${topicId}/`)) redriven.add(key);
    }
  return new Marks(topicId, redriven);
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
