import { type Codec, openCodec } from '@millrace/avro';
import { catalogue, type Stretch } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Broker, decoded, type PartitionOffset, type Seen, wholeTopic } from '@millrace/stream';
import type { World } from './prepare.ts';

export { decoded, type Seen, wholeTopic };

/** What a topic holds now: one stretch for each partition. */
export const captureTopic = async ({ admin }: Broker, topic: string): Promise<readonly Stretch[]> => {
  const [starts, ends] = await Promise.all([admin.beginningOffsets(topic), admin.endOffsets(topic)]);
  return ends
    .map(({ partition, offset }) => ({
      topic,
      partition,
      from: starts.find(at => at.partition === partition)?.offset ?? 0,
      until: offset,
    }))
    .toSorted((a, b) => a.partition - b.partition);
};

/** Records of one topic of a pipeline, decoded. @param stretch default: all that is in it now */
export async function* valuesOf<T>(
  world: World,
  pipeline: Pipeline,
  topic: string,
  stretch?: readonly Stretch[],
): AsyncGenerator<Seen<T>> {
  const { subject, schema } = catalogue([pipeline]).find(({ name }) => name === topic)!.value!;
  const codec = await openCodec<T>(world.registry, { subject, schema });
  const ours = (stretch ?? (await captureTopic(world.broker, topic))).filter(at => at.topic === topic);
  const from = ours.map(at => ({ topic, partition: at.partition, offset: at.from }));
  const until = ours.map(at => ({ topic, partition: at.partition, offset: at.until }));
  yield* decoded(world.broker.read({ from, until }), codec);
}

/** The record at one offset, or undefined where retention or compaction took it. */
export const recordAt = async <T>(
  broker: Broker,
  at: PartitionOffset,
  codec: Codec<T>,
): Promise<Seen<T> | undefined> => {
  const runs = broker.read({ from: [at], until: [{ ...at, offset: at.offset + 1 }] });
  for await (const seen of decoded(runs, codec)) if (seen.offset === at.offset) return seen;
  return undefined;
};
