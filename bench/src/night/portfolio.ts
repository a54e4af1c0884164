/** The newest vector of many made-up clients, as the feature service would have written them. */
import { openCodec } from '@millrace/avro';
import { catalogue, type FeaturesValue, topicsOf } from '@millrace/contracts';
import { featureNames, hashFeatureSet } from '@millrace/define';
import { credit } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import type { BenchWorld } from '../world/open.ts';

const CHUNK_RECORDS = 5_000;
const TOPICS = topicsOf(credit);
const FEATURES = featureNames(credit.features);
const HASH = hashFeatureSet(credit);
const DAY_MS = Date.UTC(2005, 9, 1);

/** Different for each client, and of an order that the model knows: what it costs depends on the number of rows alone. */
const vectorOf = (n: number): FeaturesValue => {
  const features = Object.fromEntries(FEATURES.map((name, i) => [name, (n * (i + 7)) % 50_000]));
  const entity = `bench-client-${n}`;
  return {
    eventId: `${entity}-1`, revision: 0, sequence: 1, entity, eventTime: DAY_MS, appendTime: DAY_MS, featureSet: credit.features.version,
    featureSetHash: HASH, late: false, sourceTopic: TOPICS.scored, sourcePartition: 0, sourceOffset: n, inputHash: HASH.slice(0, 32),
    runId: 'live', traceparent: null, event: { clientId: entity, ...features }, features,
  };
}; // prettier-ignore

export const fillPortfolio = async ({ broker, registry }: BenchWorld, clients: number): Promise<void> => {
  const value = catalogue([credit]).find(({ name }) => name === TOPICS.features)!.value!;
  const codec = await openCodec<FeaturesValue>(registry, value);
  const producer = await broker.producer();
  try {
    for (let first = 0; first < clients; first += CHUNK_RECORDS)
      await producer.send(
        Array.from({ length: Math.min(CHUNK_RECORDS, clients - first) }, (_, i) => {
          const vector = vectorOf(first + i);
          const key = Buffer.from(vector.entity);
          const partition = murmur2Partition(key, credit.partitions);
          return { topic: TOPICS.features, partition, key, value: codec.encode(vector) };
        }),
      );
  } finally {
    await producer.close();
  }
};
