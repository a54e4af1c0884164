import { openCodec } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { murmur2Partition, type OutRecord } from '@millrace/stream';
import type { World } from '../world/prepare.ts';

/** A value of a stream in the shape of its schema. */
export interface StreamValue {
  readonly stream: string;
  readonly value: Readonly<Record<string, unknown>>;
}

/** Writes values straight to their topics, like every producer outside: keyed by their stream's first key, placed by Kafka's murmur2. */
export interface Publisher {
  /** Resolves when all are acknowledged. */
  publish(values: readonly StreamValue[]): Promise<void>;
  readonly published: number;
  close(): Promise<void>;
}

export const openPublisher = async (world: World, pipeline: Pipeline): Promise<Publisher> => {
  const topics = catalogue([pipeline]);
  const names = topicsOf(pipeline).events;
  const writers = new Map(
    await Promise.all(
      Object.entries(names).map(async ([stream, topic]) => {
        const spec = topics.find(t => t.name === topic)!;
        const codec = await openCodec(world.registry, spec.value!);
        return [
          stream,
          { topic, keyField: pipeline.events[stream]!.keys[0]!, partitions: spec.partitions, codec },
        ] as const;
      }),
    ),
  );
  const toRecord = ({ stream, value }: StreamValue): OutRecord => {
    const { topic, keyField, partitions, codec } = writers.get(stream)!;
    const key = Buffer.from(String(value[keyField]));
    return { topic, partition: murmur2Partition(key, partitions), key, value: codec.encode(value) };
  };
  const producer = await world.broker.producer();
  let published = 0;
  return {
    publish: async values => {
      await producer.send(values.map(toRecord));
      published += values.length;
    },
    get published() {
      return published;
    },
    close: () => producer.close(),
  };
};
