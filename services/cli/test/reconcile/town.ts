/** A portfolio on a broker in memory, with answers of the stream and of nights that a test writes as it likes. */
import { memoryRegistry, openCodec } from '@millrace/avro';
import {
  catalogue, type FeaturesValue, MILLRACE_TOPICS, predictionId, type PredictionValue, type Run, type Stretch, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import { featureNames } from '@millrace/define';
import type { NightReport } from '@millrace/inference';
import { credit } from '@millrace/pipelines';
import { type MemoryBroker, memoryBroker, murmur2Partition } from '@millrace/stream';
import { type TurnedClock, turnedClock } from '@millrace/telemetry';
import { prepare, type World } from '../../src/world/prepare.ts';

export const TOPICS = topicsOf(credit);
const NAMES = featureNames(credit.features);
export const BEGIN = Date.parse('2026-11-25T00:00:00Z');

/** A vector as it stands on the features topic. */
export interface Vector {
  readonly entity: string;
  /** Tells the vectors of an entity apart; every feature of it has this value. */
  readonly version: number;
  readonly partition: number;
  readonly offset: number;
}

export const partitionOf = (entity: string): number =>
  murmur2Partition(Buffer.from(entity), credit.partitions);

export class Town {
  readonly world: World & { readonly broker: MemoryBroker; readonly clock: TurnedClock };
  readonly #sent = new Map<string, number>();

  private constructor(world: Town['world']) {
    this.world = world;
  }

  static async open(): Promise<Town> {
    const clock = turnedClock(BEGIN);
    const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
    await prepare(world, [credit], () => '1');
    return new Town(world);
  }

  async #codec<T>(topic: string) {
    return openCodec<T>(this.world.registry, catalogue([credit]).find(({ name }) => name === topic)!.value!);
  }

  /** @returns offsets of the records, in their order */
  async send(topic: string, records: readonly { key: string; value: Uint8Array | null; headers?: readonly (readonly [string, Uint8Array])[] }[]): Promise<readonly number[]> {
    const producer = await this.world.broker.producer();
    const placed = records.map(({ key, ...rest }) => ({ topic, partition: partitionOf(key), key: Buffer.from(key), ...rest }));
    if (placed.length > 0) await producer.send(placed);
    await producer.close();
    return placed.map(({ partition }) => {
      const at = `${topic} ${partition}`;
      const offset = this.#sent.get(at) ?? 0;
      this.#sent.set(at, offset + 1);
      return offset;
    });
  } // prettier-ignore

  async vectors(of: readonly { readonly entity: string; readonly version: number }[]): Promise<readonly Vector[]> {
    const codec = await this.#codec<FeaturesValue>(TOPICS.features);
    const values = of.map(({ entity, version }): FeaturesValue => ({
      eventId: `${entity}-v${version}`, revision: 0, sequence: version, entity, eventTime: BEGIN + version, appendTime: BEGIN, featureSet: 1,
      featureSetHash: 'h', late: false, sourceTopic: TOPICS.scored, sourcePartition: 0, sourceOffset: version, inputHash: '00'.repeat(16),
      runId: 'live', traceparent: null, event: { clientId: entity, ...features(version) }, features: features(version),
    }));
    const offsets = await this.send(TOPICS.features, values.map(value => ({ key: value.entity, value: codec.encode(value) })));
    return of.map((one, i) => ({ ...one, partition: partitionOf(one.entity), offset: offsets[i]! }));
  } // prettier-ignore

  /** The last record of an entity says that it is gone. */
  async bury(entity: string): Promise<void> {
    await this.send(TOPICS.features, [{ key: entity, value: null }]);
  }

  async answers(predictions: readonly PredictionValue[]): Promise<void> {
    const codec = await this.#codec<PredictionValue>(TOPICS.predictions);
    await this.send(
      TOPICS.predictions,
      predictions.map(value => ({ key: value.entity, value: codec.encode(value) })),
    );
  }

  /** The slice as it is now. */
  async slice(topic = TOPICS.features): Promise<Stretch[]> {
    const ends = await this.world.broker.admin.endOffsets(topic);
    return ends.map(({ partition, offset }) => ({ topic, partition, from: 0, until: offset }));
  }

  /** Records of a run, captured now, as a night would write them. */
  async run(id: string, changes: Partial<Run> & { readonly report?: string } = {}, states = ['captured', 'done']): Promise<void> {
    const codec = await this.#codec<Run>(MILLRACE_TOPICS.runs);
    const report: Partial<NightReport> = { asOf: null, entities: 0, answersFrom: { predictions: [], letters: [] } };
    const run: Run = {
      run: id, kind: 'night', pipeline: credit.name, state: 'captured', at: this.world.clock.now(), by: 'test', featureSet: 1, featureSetHash: 'h',
      sliceMs: 0, disorderMs: 0, epochsOf: 0, epochsUntil: 0, slice: await this.slice(), report: JSON.stringify(report), ...changes,
    };
    const producer = await this.world.broker.producer();
    for (const state of states)
      await producer.send([{ topic: MILLRACE_TOPICS.runs, partition: 0, key: Buffer.from(id), value: codec.encode({ ...run, state }) }]);
    await producer.close();
  } // prettier-ignore
}

const features = (version: number): Readonly<Record<string, number>> =>
  Object.fromEntries(NAMES.map(name => [name, version]));

/** What the model answers: it depends on the vector alone. */
export const scoreOf = ({ entity, version }: Pick<Vector, 'entity' | 'version'>): number =>
  Math.fround((Number(entity.replaceAll(/\D/g, '')) % 7) / 10 + version / 100);

export const answerTo = (
  vector: Vector,
  runId: string,
  changes: Partial<PredictionValue> = {},
): PredictionValue => {
  const { entity, version, offset } = vector;
  const eventId = `${entity}-v${version}`;
  const value: PredictionValue = {
    predictionId: '', eventId, revision: 0, sequence: version, entity, eventTime: BEGIN + version, appendTime: BEGIN, scoredAt: BEGIN,
    outputs: { score: scoreOf(vector) }, decision: 'keep', kpis: { exposure: 1000, expectedLoss: 1000 * scoreOf(vector), falseAlarmCost: 10, segment: 'mass' }, model: 'credit',
    modelVersion: '1', modelDigest: 'aa'.repeat(32), featureSet: 1, featureSetHash: 'h', controlRevision: 1, route: 'default', routeVersion: 1, review: false, engine: 'cpu',
    arm: 'champion', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: TOPICS.scored, sourcePartition: 0,
    sourceOffset: version, vectorOffset: offset, inputHash: '00'.repeat(16), batchId: 'b', runId, seq: 0, final: true, supersedes: null,
    traceparent: null, features: features(version), ...changes,
  }; // prettier-ignore
  const id = predictionId(credit.name, value.eventId, value.revision, value.runId, value.role, value.seq);
  return { ...value, predictionId: id };
};

/** Of each entity the last one. */
export const newest = (vectors: readonly Vector[]): readonly Vector[] => [
  ...new Map(vectors.map(vector => [vector.entity, vector])).values(),
];
