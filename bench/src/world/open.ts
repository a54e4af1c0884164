/** A stack of its own for a bench: broker and registry, topics, schemas, and the model in force. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Codec, confluentRegistry, openCodec, type Registry } from '@millrace/avro';
import {
  applySchemas, catalogue, controlKey, type ControlEntry, type ControlRecord, controlRecord, type FeaturesValue, MILLRACE_TOPICS,
  type PredictionValue, schemaPlan, type Topic, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import type { Pipeline } from '@millrace/define';
import { startStack } from '@millrace/localstack';
import { type Broker, kafkaBroker } from '@millrace/stream';
import { type Clock, noLogger, systemClock } from '@millrace/telemetry';

export const MODEL_VERSION = '1';

export interface BenchWorld {
  readonly registry: Registry;
  readonly pipeline: Pipeline;
  /** Folder of the model that is scored with. */
  readonly modelFolder: string;
  /** Of the features topic. */
  readonly featuresSchema: string;
  readonly predictionSchema: string;
  readonly kafka: string;
  readonly registryUrl: string;
  readonly brokerPid: number;
  /** There where it was asked for. */
  readonly database: { readonly url: string; readonly pid: number } | undefined;
  /** For what the contestants write beside their answers. */
  readonly directory: string;
  readonly broker: Broker;
  readonly features: Codec<FeaturesValue>;
  readonly predictions: Codec<PredictionValue>;
  readonly predictionSchemaId: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  /** Logs stay behind where they may be needed. */
  close(how: { readonly keepLogs: boolean }): Promise<void>;
}

export interface OpenOptions {
  readonly pipeline: Pipeline;
  readonly model: string;
  /** Folder of model folders. */
  readonly models: string;
  /** Of those who write elsewhere than the service; everything else about them is as for the predictions. */
  readonly outTopics: readonly string[];
  /** Pipelines beside the one that is measured, each with its own model. */
  readonly others?: readonly Pipeline[];
  /** With a PostgreSQL, too. */
  readonly stores?: true;
  /** Settings of the service that are not at their default, by environment variable. */
  readonly settings: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export const controlsOf = (
  { name: pipeline, thresholds }: Pipeline,
  model: string,
): readonly ControlEntry[] => {
  const common = { pipeline, revision: 1, at: systemClock.now(), by: 'bench', why: 'bench' };
  return [
    { ...common, kind: 'model-alias', name: 'champion', value: { model, version: MODEL_VERSION } },
    { ...common, kind: 'thresholds', name: 'default', value: thresholds },
    { ...common, kind: 'routes', name: 'default', value: { version: 1, rules: [] } },
  ];
};

export const writeControls = async (
  broker: Broker,
  registry: Registry,
  topics: readonly Topic[],
  entries: readonly ControlEntry[],
) => {
  const topic = MILLRACE_TOPICS.control;
  const codec = await openCodec<ControlRecord>(registry, topics.find(one => one.name === topic)!.value!);
  const producer = await broker.producer();
  await producer.send(
    entries.map(entry => ({
      topic,
      partition: 0,
      key: Buffer.from(controlKey(entry)),
      value: codec.encode(controlRecord(entry)),
    })),
  );
  await producer.close();
};

/** Topics, schemas and control entries; returns the codecs of what flows through the contestants. */
const prepare = async (broker: Broker, registry: Registry, options: OpenOptions) => {
  const { pipeline, model, outTopics, others = [] } = options;
  const topics = catalogue([pipeline, ...others]);
  const named = (name: string): Topic => topics.find(one => one.name === name)!;
  const { features, predictions } = topicsOf(pipeline);
  const wanted = [...topics, ...outTopics.map(name => ({ ...named(predictions), name }))];
  await broker.admin.createTopics(
    wanted.map(({ name, partitions, config }) => ({ name, partitions, config })),
  );
  await applySchemas(registry, await schemaPlan(registry, topics));
  const controls = others.flatMap(one => controlsOf(one, one.model.name));
  await writeControls(broker, registry, topics, [...controlsOf(pipeline, model), ...controls]);
  const written = named(predictions).value!;
  return {
    features: await openCodec<FeaturesValue>(registry, named(features).value!),
    predictions: await openCodec<PredictionValue>(registry, written),
    predictionSchemaId: (await registry.idOf(written.subject, written.schema))!,
    featuresSchema: named(features).value!.schema,
    predictionSchema: written.schema,
  };
};

const openWorld = async (options: OpenOptions): Promise<BenchWorld> => {
  const { pipeline, model, models, stores, environment, signal, say } = options;
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const stack = await startStack({
    ways: ['jvm'],
    parts: ['kafka', 'registry', ...(stores ? ['postgres' as const] : [])],
    // The broker's own cost is part of every figure: it runs as it would in earnest.
    tuning: 'runsFast',
    directory,
    environment,
    onProgress: line => say(`  ${line}`),
  });
  const clock = systemClock;
  const broker = kafkaBroker({ bootstrapServers: stack.kafka, clientId: 'bench', logger: noLogger, clock });
  const close = async ({ keepLogs }: { readonly keepLogs: boolean }): Promise<void> => {
    await broker.close();
    await stack.stop();
    if (keepLogs) say(`logs are left in ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  };
  try {
    const registry = confluentRegistry({ url: stack.registry, clock });
    const prepared = await prepare(broker, registry, options);
    return {
      ...prepared,
      registry,
      pipeline,
      modelFolder: join(models, model, MODEL_VERSION),
      kafka: stack.kafka,
      registryUrl: stack.registry,
      brokerPid: stack.pids['kafka-1']!,
      database: stores && { url: stack.postgres, pid: stack.pids['postgres']! },
      directory,
      broker,
      clock,
      signal,
      say,
      close,
    };
  } catch (error) {
    await close({ keepLogs: true });
    throw error;
  }
};

/** Runs with a world that is closed afterwards, whatever happens. */
export const withWorld = async <T>(
  options: OpenOptions,
  use: (world: BenchWorld) => Promise<T>,
): Promise<T> => {
  const world = await openWorld(options);
  let done = false;
  try {
    const result = await use(world);
    done = true;
    return result;
  } finally {
    await world.close({ keepLogs: !done });
  }
};
