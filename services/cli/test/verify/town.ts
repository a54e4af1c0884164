/** Payments and labels on a broker in memory as they arrived, and answers with features that a test writes as it likes. */
import { memoryRegistry, openCodec } from '@millrace/avro';
import {
  catalogue,
  consumerGroup,
  deadLetterTopic,
  predictionId,
  type PredictionValue,
  topicsOf,
} from '@millrace/contracts';
import { featureNames, hashFeatureSet } from '@millrace/define';
import { fraud, type SimulatedEvent } from '@millrace/pipelines';
import { memoryBroker, murmur2Partition } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { prepare, type World } from '../../src/world/prepare.ts';
import type { Payment } from './naive.ts';

export const TOPICS = topicsOf(fraud);
export const NAMES = featureNames(fraud.features);

/** An event as it is sent, and when; milliseconds since the epoch. */
export interface Sent {
  readonly event: SimulatedEvent;
  readonly atMs: number;
  readonly changes?: Readonly<Record<string, unknown>>;
}

export class Town {
  readonly world: World;
  readonly #clock: ReturnType<typeof turnedClock>;
  /** Where each payment stands, by event id. */
  readonly #places = new Map<
    string,
    { readonly partition: number; readonly offset: number; readonly atMs: number }
  >();
  readonly #ends = new Map<string, number>();

  private constructor(world: World, clock: ReturnType<typeof turnedClock>) {
    this.world = world;
    this.#clock = clock;
  }

  static async open(startMs: number): Promise<Town> {
    const clock = turnedClock(startMs);
    const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
    await prepare(world, [fraud], () => '1');
    return new Town(world, clock);
  }

  codec<T>(topic: string) {
    return openCodec<T>(this.world.registry, catalogue([fraud]).find(({ name }) => name === topic)!.value!);
  }

  /** In the order of their arrival. */
  async arrive(sent: readonly Sent[]): Promise<void> {
    const codecs = new Map(Object.values(TOPICS.events).map(topic => [topic, this.codec<object>(topic)]));
    const producer = await this.world.broker.producer();
    for (const { event, atMs, changes } of sent) {
      const topic = TOPICS.events[event.stream]!;
      const value = { revision: 0, withdrawn: false, lineage: null, ...event.value, ...changes };
      const key = Buffer.from(value.customerId);
      const partition = murmur2Partition(key, fraud.partitions);
      if (atMs > this.#clock.now()) await this.#clock.turn(atMs - this.#clock.now());
      await producer.send([{ topic, partition, key, value: (await codecs.get(topic)!).encode(value) }]);
      const offset = this.#ends.get(`${topic} ${partition}`) ?? 0;
      this.#ends.set(`${topic} ${partition}`, offset + 1);
      if (event.stream === 'transactions') this.#places.set(value.eventId, { partition, offset, atMs });
    }
    await producer.close();
  }

  async answer(answers: readonly { readonly payment: Payment; readonly features: Readonly<Record<string, number>>; readonly changes?: Partial<PredictionValue> }[]): Promise<void> {
    const codec = await this.codec<PredictionValue>(TOPICS.predictions);
    const producer = await this.world.broker.producer();
    for (const { payment, features, changes } of answers) {
      const { eventId, sequence, customerId, txAt } = payment;
      const { partition, offset } = this.#places.get(eventId) ?? { partition: 0, offset: 0 };
      const value: PredictionValue = {
        predictionId: predictionId(fraud.name, eventId, 0, 'live', 'answer', 0), eventId, revision: 0, review: false, engine: 'cpu', sequence, entity: customerId, eventTime: txAt,
        appendTime: 0, scoredAt: 0, outputs: { score: 0.5 }, decision: 'approve', kpis: { expectedLoss: 0 }, model: 'fraud', modelVersion: '1',
        modelDigest: 'd', featureSet: 1, featureSetHash: hashFeatureSet(fraud), controlRevision: 1, route: 'default', routeVersion: 1,
        arm: 'champion', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: TOPICS.scored, sourcePartition: partition,
        sourceOffset: offset, vectorOffset: 0, inputHash: 'i', batchId: 'b', runId: 'live', seq: 0, final: true, supersedes: null,
        traceparent: null, features: Object.fromEntries(NAMES.map(name => [name, features[name]!])), ...changes,
      };
      const key = Buffer.from(customerId);
      await producer.send([{ topic: TOPICS.predictions, partition: murmur2Partition(key, fraud.partitions), key, value: codec.encode(value) }]);
    }
    await producer.close();
  } // prettier-ignore

  /** Puts a payment on the dead letters of its topic, as the feature service does. */
  async refuse(payment: Payment, reason: string): Promise<void> {
    const codec = await this.codec<object>(TOPICS.scored);
    const about = { topic: TOPICS.scored, partition: '0', offset: '0', group: consumerGroup('feature', fraud), stage: 'feature', reason };
    const headers = Object.entries(about).map(([name, text]) => [`__dlq.errors.${name}`, Buffer.from(text)] as const);
    const key = Buffer.from(payment.customerId);
    const value = codec.encode({ revision: 0, withdrawn: false, lineage: null, ...payment });
    const producer = await this.world.broker.producer();
    await producer.send([{ topic: deadLetterTopic(TOPICS.scored), partition: murmur2Partition(key, fraud.partitions), key, value, headers }]);
    await producer.close();
  } // prettier-ignore
}
