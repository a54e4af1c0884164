/** Clients of the credit pipeline, as the feature service would write their vectors. */
import { openCodec } from '@millrace/avro';
import type { World } from '@millrace/cli';
import { catalogue, type FeaturesValue, topicsOf } from '@millrace/contracts';
import { featureNames, hashFeatureSet } from '@millrace/define';
import { credit } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';

const TOPICS = topicsOf(credit);
const FEATURES = featureNames(credit.features);
const BATCH = 1_000;

/** Of the client `<prefix>-<n>`: other feature values for another version. */
export const clientVector = (prefix: string, n: number, version: number): FeaturesValue => {
  const features = Object.fromEntries(FEATURES.map((name, i) => [name, (n * (i + 1) + version) % 997]));
  return {
    eventId: `${prefix}-${n}-v${version}`, revision: 0, sequence: version, entity: `${prefix}-${n}`, eventTime: Date.now(), appendTime: Date.now(),
    featureSet: 1, featureSetHash: hashFeatureSet(credit), late: false, sourceTopic: TOPICS.scored, sourcePartition: 0, sourceOffset: n,
    inputHash: '00'.repeat(16), runId: 'live', traceparent: null, event: { clientId: `${prefix}-${n}`, ...features }, features,
  };
}; // prettier-ignore

export const publishClients = async (
  { broker, registry }: World,
  prefix: string,
  version: number,
  count: number,
): Promise<void> => {
  const { value } = catalogue([credit]).find(({ name }) => name === TOPICS.features)!;
  const codec = await openCodec<FeaturesValue>(registry, value!);
  const producer = await broker.producer();
  for (let first = 0; first < count; first += BATCH)
    await producer.send(
      Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => {
        const vector = clientVector(prefix, first + i, version);
        const key = Buffer.from(vector.entity);
        return {
          topic: TOPICS.features,
          partition: murmur2Partition(key, credit.partitions),
          key,
          value: codec.encode(vector),
        };
      }),
    );
  await producer.close();
};
