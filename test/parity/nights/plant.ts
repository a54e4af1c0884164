/** A night with answers that were changed on purpose: what a reconciliation has to find. */
import { Bad, openCodec } from '@millrace/avro';
import { decoded, wholeTopic, type World } from '@millrace/cli';
import { catalogue, MILLRACE_TOPICS, predictionId, type PredictionValue, type Run, topicsOf } from '@millrace/contracts'; // prettier-ignore
import type { Pipeline } from '@millrace/define';
import { murmur2Partition } from '@millrace/stream';

export interface Where {
  readonly world: World;
  readonly pipeline: Pipeline;
}

const codecOf = <T>({ world, pipeline }: Where, topic: string) =>
  openCodec<T>(world.registry, catalogue([pipeline]).find(({ name }) => name === topic)!.value!);

const BATCH = 1_000;

/** Writes values with these keys where the partitioner puts them. */
export const send = async <T>(where: Where, topic: string, values: readonly T[], keyOf: (value: T) => string): Promise<void> => {
  const codec = await codecOf<T>(where, topic);
  const producer = await where.world.broker.producer();
  const partitions = topic === MILLRACE_TOPICS.runs ? 1 : where.pipeline.partitions;
  for (let first = 0; first < values.length; first += BATCH)
    await producer.send(values.slice(first, first + BATCH).map(value => {
      const key = Buffer.from(keyOf(value));
      return { topic, partition: murmur2Partition(key, partitions), key, value: codec.encode(value) };
    }));
  await producer.close();
}; // prettier-ignore

/** All values of a topic that are committed. */
export async function* valuesOf<T>(where: Where, topic: string): AsyncGenerator<T> {
  const codec = await codecOf<T>(where, topic);
  for await (const { value } of decoded(await wholeTopic(where.world.broker, topic), codec))
    if (value !== null && !(value instanceof Bad)) yield value;
}

export const answersOf = async (where: Where, run: string): Promise<readonly PredictionValue[]> => {
  const found: PredictionValue[] = [];
  for await (const value of valuesOf<PredictionValue>(where, topicsOf(where.pipeline).predictions))
    if (value.runId === run) found.push(value);
  return found;
};

/** A night that says of itself what another one does, with these answers. */
export const plant = async (where: Where, run: string, like: string, answers: readonly PredictionValue[]): Promise<void> => {
  const { pipeline } = where;
  const own = answers.map(value => ({ ...value, runId: run, predictionId: predictionId(pipeline.name, value.eventId, value.revision, run, 'answer', 0) }));
  await send(where, topicsOf(pipeline).predictions, own, ({ entity }) => entity);
  const records: Run[] = [];
  for await (const one of valuesOf<Run>(where, MILLRACE_TOPICS.runs)) if (one.run === like) records.push({ ...one, run });
  await send(where, MILLRACE_TOPICS.runs, records, one => one.run);
}; // prettier-ignore
