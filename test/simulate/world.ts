import { type Codec, memoryRegistry, openCodec, type Registry } from '@millrace/avro';
import {
  applySchemas,
  catalogue,
  type Deferred,
  type FeaturesValue,
  type PipelineTopics,
  type PredictionValue,
  type Repartition,
  schemaPlan,
  topicsOf,
  type Topic,
} from '@millrace/contracts';
import {
  count, definePipeline, featureSet, featureView, field, ge, last, mean, multiply, output, type Pipeline, share, threshold,
} from '@millrace/define'; // prettier-ignore

export type Values = Record<string, unknown>;

/** What does not change from seed to seed, made once. */
export interface World {
  readonly registry: Registry;
  readonly topics: PipelineTopics;
  readonly catalogue: readonly Topic[];
  /** Of the events, by stream. */
  readonly events: ReadonlyMap<string, Codec<Values>>;
  readonly features: Codec<FeaturesValue>;
  readonly repartition: Codec<Repartition>;
  readonly predictions: Codec<PredictionValue>;
  readonly deferred: Codec<Deferred>;
}

const customer = featureView({
  name: 'customer',
  version: 1,
  key: 'customerId',
  owner: 'test',
  description: 'Payments of a customer.',
  features: {
    customerCount1d: count({ of: 'transactions', window: '1d' }),
    customerMean1h: mean({ of: 'transactions', value: field('amount'), scale: 2, window: '1h' }),
    customerLast: last({ of: 'transactions', value: field('amount'), scale: 2, window: '1d' }),
  },
});

// Without delays, so that nearly every event shows in the vectors of the ones behind it.
const terminal = featureView({
  name: 'terminal',
  version: 1,
  key: 'terminalId',
  owner: 'test',
  description: 'Payments and frauds at a terminal.',
  features: {
    terminalCount1d: count({ of: 'transactions', window: '1d' }),
    terminalRisk1d: share({ of: 'labels', where: field('isFraud'), window: '1d' }),
    terminalLast: last({ of: 'transactions', value: field('amount'), scale: 2, window: '1d' }),
  },
});

/** The shape of the fraud pipeline (two keys, labels) with windows as short as a simulation. */
const pipelineAnew = (partitions: number, delivery: Partial<Pipeline['delivery']>): Pipeline =>
  definePipeline({
    name: 'fraud',
    description: 'Simulated payments.',
    entity: 'customerId',
    partitions,
    scores: 'transactions',
    events: {
      transactions: { schema: 'fraud/transaction', time: 'txAt', keys: ['customerId', 'terminalId'] },
      labels: {
        schema: 'fraud/label',
        of: 'transactions',
        time: 'txAt',
        knownAt: 'knownAt',
        keys: ['customerId', 'terminalId'],
      },
    },
    features: featureSet({ version: 1, inputs: { amount: field('amount') }, views: [customer, terminal] }),
    model: { name: 'fraud', outputs: ['score'], fallback: [{ constant: { score: 0.01 } }] },
    thresholds: { block: 0.5 },
    decisions: [{ name: 'block', when: ge(output('score'), threshold('block')) }, { name: 'approve' }],
    kpis: { expectedLoss: multiply(output('score'), field('amount')) },
    delivery,
  });

const made = new Map<string, Pipeline>();

/** The same definition is the same object: what follows from it is worked out once. */
export function pipelineOf(partitions: number, delivery: Partial<Pipeline['delivery']>): Pipeline {
  const name = JSON.stringify([partitions, delivery]);
  const pipeline = made.get(name) ?? pipelineAnew(partitions, delivery);
  made.set(name, pipeline);
  return pipeline;
}

export async function openWorld(pipeline: Pipeline = pipelineOf(1, {})): Promise<World> {
  const registry = memoryRegistry();
  const topics = topicsOf(pipeline);
  const all = catalogue([pipeline]);
  await applySchemas(registry, await schemaPlan(registry, all));
  const codec = <T>(name: string): Promise<Codec<T>> =>
    openCodec<T>(registry, all.find(topic => topic.name === name)!.value!);
  const events = new Map<string, Codec<Values>>();
  for (const [stream, topic] of Object.entries(topics.events)) events.set(stream, await codec(topic));
  return {
    registry,
    topics,
    catalogue: all,
    events,
    features: await codec(topics.features),
    repartition: await codec(topics.release!),
    predictions: await codec(topics.predictions),
    deferred: await codec(topics.deferred),
  };
}
