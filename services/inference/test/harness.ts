/** The service on a broker and a registry in memory, with models whose answers are known. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bad, type Codec, localCodec, memoryRegistry, openCodec, type Registry } from '@millrace/avro';
import {
  applySchemas, catalogue, type ControlEntry, controlKey, controlRecord, type FeaturesValue, MILLRACE_TOPICS, type PipelineTopics,
  type PredictionValue, schemaPlan, type Topic, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import { featureNames, hashFeatureSet, type Pipeline } from '@millrace/define';
import { type MakeScorer, type Manifest, ScorerLost, ScoringError } from '@millrace/model';
import { fraud } from '@millrace/pipelines';
import {
  type Broker,
  type MemoryBroker,
  memoryBroker,
  murmur2Partition,
  type OutRecord,
  type RecordRun,
} from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { inferenceService, type InferenceOptions } from '../src/index.ts';

/** With thresholds that these tests know. */
export const PIPELINE = { ...fraud, thresholds: { block: 0.8, review: 0.4 } };
export const TOPICS = topicsOf(fraud);
export const FEATURES = featureNames(fraud.features);
export const SHIPPED_MODELS = join(import.meta.dirname, '../../../packages/pipelines/models');
/** Some ONNX bytes: the scorers of these tests do not run them. */
const BYTES = readFileSync(join(SHIPPED_MODELS, 'fraud-small/1/model.onnx'));

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A model that answers amount / divisor. `lost` scorers have no engine any more. */
export interface FakeModel {
  readonly name: string;
  readonly version: string;
  readonly divisor: number;
  readonly changes?: Partial<Manifest>;
}

export const POISON = 13;
export const UNANSWERABLE = 17;

export const manifestOf = ({ name, version, divisor, changes }: FakeModel): Manifest => ({
  name,
  version,
  file: 'model.onnx',
  sha256: createHash('sha256').update(BYTES).digest('hex'),
  inputs: [{ name: 'features', type: 'float32', shape: ['N', FEATURES.length] }],
  features: FEATURES,
  outputs: [{ name: 'score', tensor: 'probabilities', column: 1, batchAxis: 0 }],
  featureSet: { pipeline: 'fraud', version: 1, hash: hashFeatureSet(fraud) },
  providers: ['cpu'],
  golden: { rows: [FEATURES.map(() => 64)], outputs: [[64 / divisor]], tolerance: 0 },
  training: { data: `divisor ${divisor}`, seed: divisor, commit: 'none' },
  license: 'Apache-2.0',
  createdAt: `2026-01-0${version}T00:00:00Z`,
  ...changes,
});

/** Names of models no engine can run any more. */
export const lost = new Set<string>();
/** Engines that run now, by model name and version; taking one out ends it, and a new one may come. */
export const engines = new Map<string, Set<object>>();
export const batches: { readonly model: string; readonly rows: number }[] = [];

/** The amount is the first feature; the divisor stands in the manifest, as the seed. */
export const fakeScorer: MakeScorer = async (_, manifest) => {
  const { seed } = manifest.training;
  const engine = {};
  const id = `${manifest.name} ${manifest.version}`;
  engines.set(id, (engines.get(id) ?? new Set()).add(engine));
  return {
    provider: 'cpu',
    close: async () => undefined,
    async score({ rows, data }) {
      if (lost.has(manifest.name) || engines.get(id)?.has(engine) !== true)
        throw new ScorerLost('the engine is gone');
      batches.push({ model: manifest.name, rows });
      const amounts = Array.from({ length: rows }, (_, i) => data[i * FEATURES.length]!);
      if (amounts.includes(POISON)) throw new ScoringError('the engine refuses 13');
      const scores = amounts.map(amount => (amount === UNANSWERABLE ? Number.NaN : amount / seed));
      return { data: Float32Array.from(scores), computeMs: 0.1 };
    },
  };
};

export const writeModel = (root: string, model: FakeModel): void => {
  const folder = join(root, model.name, model.version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), BYTES);
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifestOf(model)));
};

export const vectorOf = (n: number, changes: Partial<FeaturesValue> = {}): FeaturesValue => ({
  eventId: `event-${n}`,
  revision: 0,
  sequence: n,
  entity: `customer-${n % 10}`,
  eventTime: 1_700_000_000_000 + n,
  appendTime: 1_700_000_001_000,
  featureSet: 1,
  featureSetHash: hashFeatureSet(fraud),
  late: n % 2 === 1,
  sourceTopic: TOPICS.scored,
  sourcePartition: 3,
  sourceOffset: n,
  inputHash: 'cd'.repeat(16),
  runId: 'live',
  traceparent: null,
  event: { customerId: `customer-${n % 10}`, terminalId: 't', amount: n },
  features: Object.fromEntries(FEATURES.map((name, i) => [name, i === 0 ? n : i])),
  ...changes,
});

/** Codecs of the pipeline's topics, under ids that tell them apart. */
export const codecs = () => {
  const schemaOf = (topic: string): string => catalogue([fraud]).find(({ name }) => name === topic)!.value!.schema; // prettier-ignore
  return {
    features: localCodec<FeaturesValue>(schemaOf(TOPICS.features), 7),
    predictions: localCodec<PredictionValue>(schemaOf(TOPICS.predictions), 300),
  };
};

type ControlChange = Pick<ControlEntry, 'kind' | 'name' | 'value'>;

export interface Prediction extends PredictionValue {
  readonly key: string;
  readonly partition: number;
}

const textOf = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? undefined);

/** Where the service runs: in memory, or on a stack. */
export interface Ground {
  readonly pipeline: Pipeline;
  readonly registry: Registry;
  readonly broker: Broker;
  /** Another client of the same cluster. */
  connect(): Broker;
}

export const inMemory = (pipeline: Pipeline = PIPELINE): Ground => {
  const broker: MemoryBroker = memoryBroker({ clock: systemClock });
  return { pipeline, registry: memoryRegistry(), broker, connect: () => broker.connect() };
};

export class World {
  readonly ground: Ground;
  readonly topics: PipelineTopics;
  readonly models = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  #revision = 0;
  #stop: (() => Promise<void>)[] = [];

  constructor(ground: Ground) {
    this.ground = ground;
    this.topics = topicsOf(ground.pipeline);
  }

  /** @param features what its topic has beside, or instead of, what the catalogue says */
  static async open(ground: Ground = inMemory(), features: Topic['config'] = {}): Promise<World> {
    const topics = catalogue([ground.pipeline]);
    await applySchemas(ground.registry, await schemaPlan(ground.registry, topics));
    const { features: name } = topicsOf(ground.pipeline);
    await ground.broker.admin.createTopics(
      topics.map(one => (one.name === name ? { ...one, config: { ...one.config, ...features } } : one)),
    );
    return new World(ground);
  }

  codec<T>(topic: string): Promise<Codec<T>> {
    const value = catalogue([this.ground.pipeline]).find(({ name }) => name === topic)!.value!;
    return openCodec<T>(this.ground.registry, value);
  }

  async send(records: readonly OutRecord[]): Promise<void> {
    const producer = await this.ground.broker.producer();
    await producer.send(records);
    await producer.close();
  }

  async control(...changes: readonly ControlChange[]): Promise<number> {
    const codec = await this.codec(MILLRACE_TOPICS.control);
    for (const change of changes) {
      const entry = {
        ...change,
        revision: ++this.#revision,
        pipeline: this.ground.pipeline.name,
        at: 0,
        by: 'test',
        why: 'test',
      };
      const record = controlRecord(entry as ControlEntry);
      const key = utf8(controlKey(record));
      await this.send([{ topic: MILLRACE_TOPICS.control, partition: 0, key, value: codec.encode(record) }]);
    }
    return this.#revision;
  }

  alias(version: string, model = 'fraud'): Promise<number> {
    return this.control({ kind: 'model-alias', name: 'champion', value: { model, version } });
  }

  async vectors(vectors: readonly FeaturesValue[], topic = this.topics.features): Promise<void> {
    const codec = await this.codec<FeaturesValue>(topic);
    await this.send(
      vectors.map(vector => {
        const key = utf8(vector.entity);
        return {
          topic,
          partition: murmur2Partition(key, this.ground.pipeline.partitions),
          key,
          value: codec.encode(vector),
        };
      }),
    );
  }

  start(options: Partial<InferenceOptions> = {}): ReturnType<typeof inferenceService> {
    const { pipeline, registry } = this.ground;
    const service = inferenceService({
      pipelines: [pipeline],
      broker: this.ground.connect(),
      registry,
      models: this.models,
      instance: 'i',
      makeScorer: fakeScorer,
      config: { commitIntervalMs: 5 },
      ...options,
    });
    this.#stop.push(() => service.stop(5_000));
    return service;
  }

  async *#runs(topic: string): AsyncIterable<RecordRun> {
    const until = await this.ground.broker.admin.endOffsets(topic);
    yield* this.ground.broker.read({ from: { topic, at: 'beginning' }, until });
  }

  async predictions(): Promise<Prediction[]> {
    const codec = await this.codec<PredictionValue>(this.topics.predictions);
    const found: Prediction[] = [];
    for await (const run of this.#runs(this.topics.predictions)) {
      await codec.prepare(Array.from({ length: run.length }, (_, i) => run.value(i)));
      for (let i = 0; i < run.length; i++) {
        const value = codec.decode(run.value(i)!);
        if (value instanceof Bad) throw new Error(value.message);
        found.push({ ...value, key: textOf(run.key(i)), partition: run.partition });
      }
    }
    return found;
  }

  /** Reasons of the dead letters of a topic, by key. */
  async deadLetters(topic = this.topics.features): Promise<(readonly [key: string, headers: string])[]> {
    const found: (readonly [string, string])[] = [];
    for await (const run of this.#runs(`${topic}.dlq`))
      for (let i = 0; i < run.length; i++)
        found.push([textOf(run.key(i)), run.headers(i).map(([name, value]) => `${name}=${textOf(value)}`).join(' ')]); // prettier-ignore
    return found;
  }

  /** Waits, within a limit, until there are as many predictions. */
  async scored(count: number): Promise<Prediction[]> {
    for (let tries = 0; tries < 1_000; tries++) {
      const found = await this.predictions();
      if (found.length >= count) return found;
      await systemClock.sleep(10);
    }
    throw new Error(`there are ${(await this.predictions()).length} predictions, not ${count}`);
  }

  async close(): Promise<void> {
    lost.clear();
    batches.length = 0;
    for (const stop of this.#stop) await stop();
    await this.ground.broker.close();
    rmSync(this.models, { recursive: true });
  }
}

export const until = async (condition: () => boolean | Promise<boolean>, what: string): Promise<void> => {
  for (let tries = 0; tries < 1_000; tries++) {
    if (await condition()) return;
    await systemClock.sleep(10);
  }
  throw new Error(`it never came to pass: ${what}`);
};
