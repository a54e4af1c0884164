import { Bad, type Codec, openCodec, type Registry } from '@millrace/avro';
import {
  asideTopic,
  catalogue,
  consumerGroup,
  deadLetterTopic,
  type PredictionValue,
  scoredValues,
  topicsOf,
} from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Component, Outage, START_WAIT_MS_MAX } from '@millrace/runtime';
import {
  type Broker,
  type PartitionOffset,
  processor,
  type Processor,
  type Task,
  type TaskContext,
} from '@millrace/stream';
import { type Clock, type Logger, type Metrics, noTracing, type Tracing } from '@millrace/telemetry';
import { beginOf } from './begin.ts';
import type { SinkConfig } from './config.ts';
import type { Database, SinkPartition } from './postgres/database.ts';
import { StoredOffsetError } from './postgres/errors.ts';
import { StoreTask } from './task.ts';
import { type Identities, identify } from './topic.ts';

export interface SinkOptions {
  readonly pipelines: readonly Pipeline[];
  readonly broker: Broker;
  readonly registry: Registry;
  readonly database: Database;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracing?: Tracing;
  readonly logger: Logger;
  readonly config: Pick<SinkConfig, 'rowsMax' | 'laneRowsMax' | 'laneBytesMax'> &
    Partial<Pick<SinkConfig, 'stallMsMax'>>;
  /** Longest wait of the start for each dependency. */
  readonly startWaitMsMax?: number;
}

export const sinkGroup = (pipeline: Pipeline): string => consumerGroup('sink', pipeline);

type Nothing = Record<string, never>;
type Outages = Readonly<Record<'kafka' | 'registry' | 'database', Outage>>;

const outagesOf = ({ clock, logger, metrics }: SinkOptions): Outages => {
  const outage = (dependency: keyof Outages): Outage => new Outage({ dependency, clock, logger, metrics });
  return { kafka: outage('kafka'), registry: outage('registry'), database: outage('database') };
};

interface Of {
  readonly options: SinkOptions;
  readonly pipeline: Pipeline;
  readonly database: Outage;
  readonly identities: Identities;
}

const offsetOf = (offsets: readonly { partition: number; offset: number }[], partition: number): number =>
  offsets.find(at => at.partition === partition)!.offset;

/** Compares what is stored with what Kafka has, and begins to read where the two meet. */
const storeTask = async (
  { options, pipeline, database: outage, identities }: Of,
  context: TaskContext<Nothing>,
  { topic, partition, offset: committed }: PartitionOffset,
): Promise<StoreTask> => {
  const { broker, database, config, clock, metrics, tracing = noTracing } = options;
  const { signal } = context;
  const identity = { clusterId: identities.clusterId, topicId: identities.topicIds.get(topic)! };
  const at: SinkPartition = { ...identity, group: sinkGroup(pipeline), topic, partition };
  const beginning = offsetOf(await broker.admin.beginningOffsets(topic), partition);
  const storedNext = await outage.ride(() => database.openPartition(at, beginning), { signal });
  // Asked for last: the owner before us may still have stored what came meanwhile.
  const end = offsetOf(await broker.admin.endOffsets(topic), partition);
  const begin = beginOf(at, { beginning, end, committed, stored: storedNext });
  context.seek({ topic, partition, offset: begin });
  return new StoreTask({
    pipeline: pipeline.name,
    at,
    storedNext,
    rowsMax: config.rowsMax,
    database,
    outage,
    clock,
    metrics,
    tracing,
    signal,
  });
};

/** The predictions and what is sent again aside of them: each partition is stored by itself, with its own offset. */
const createTask = async (of: Of, context: TaskContext<Nothing>): Promise<Task<PredictionValue, Nothing>> => {
  const tasks = new Map<string, StoreTask>();
  try {
    for (const at of context.positions) tasks.set(at.topic, await storeTask(of, context, at));
  } catch (error) {
    if (error instanceof StoredOffsetError) context.fail(error); // The next attempt would find the same.
    throw error;
  }
  return {
    handle: (batch, out) => tasks.get(batch.topic)!.handle(batch, out),
    onCaughtUp: at => tasks.get(at.topic)!.onCaughtUp(at),
  };
};

/** Of a pipeline with several versions of its feature set: each prediction with the values of its own. */
const withOwnValues = (pipeline: Pipeline, codec: Codec<PredictionValue>): Codec<PredictionValue> => {
  if (pipeline.beside.length === 0) return codec;
  const valuesOf = scoredValues(pipeline);
  return {
    prepare: values => codec.prepare(values),
    encode: value => codec.encode(value),
    decode: bytes => {
      const value = codec.decode(bytes);
      return value instanceof Bad ? value : { ...value, features: valuesOf(value) };
    },
  };
};

const pipelineProcessor = async (
  options: SinkOptions,
  pipeline: Pipeline,
  outages: Outages,
  signal: AbortSignal,
): Promise<Processor> => {
  const { broker, registry, clock, metrics, logger, startWaitMsMax = START_WAIT_MS_MAX } = options;
  const patience = { signal, waitMsTotalMax: startWaitMsMax };
  const { predictions } = topicsOf(pipeline);
  const topics = [predictions, asideTopic(predictions)];
  const value = catalogue([pipeline]).find(t => t.name === predictions)!.value!;
  const written = await outages.registry.ride(() => openCodec<PredictionValue>(registry, value), patience);
  const codec = withOwnValues(pipeline, written);
  const identities = await outages.kafka.ride(() => identify(broker, topics), patience);
  const { laneRowsMax: rowsHigh, laneBytesMax: bytesHigh } = options.config;
  const lane = { rowsHigh, rowsLow: rowsHigh / 2, bytesHigh, bytesLow: bytesHigh / 2 };
  const of = { options, pipeline, database: outages.database, identities };
  return processor<PredictionValue, Nothing>({
    name: `sink ${pipeline.name}`,
    broker,
    group: sinkGroup(pipeline),
    inputs: topics.map(topic => ({ topic, codec, lane })),
    outputs: {},
    delivery: 'external',
    deadLetters: deadLetterTopic,
    rejects: pipeline.rejects.sink ?? {},
    createTask: context => createTask(of, context),
    ...(options.config.stallMsMax === undefined ? {} : { stallMsMax: options.config.stallMsMax }),
    waitsFor: () => outages.database.notReady(),
    clock,
    metrics,
    logger,
  });
};

/** Stores the predictions of every pipeline; ready when the database is migrated and the groups are joined. */
export const sinkService = (options: SinkOptions): Component => {
  const { pipelines, database, startWaitMsMax = START_WAIT_MS_MAX } = options;
  const outages = outagesOf(options);
  const processors: Processor[] = [];
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // whoever runs us listens; nobody may be listening yet
  return {
    name: 'sink',
    failed: failure.promise,
    start: async signal => {
      await outages.database.ride(() => database.migrate(), { signal, waitMsTotalMax: startWaitMsMax });
      for (const pipeline of pipelines) {
        const one = await pipelineProcessor(options, pipeline, outages, signal);
        processors.push(one);
        one.failed.catch((error: unknown) => failure.reject(error));
        await one.start(signal);
      }
    },
    stop: async deadlineMs => {
      await Promise.all(processors.map(one => one.stop(deadlineMs)));
      await database.close();
    },
    notReady: () => {
      const away = Object.values(outages).find(outage => outage.notReady() !== undefined);
      if (away !== undefined) return away.notReady();
      return processors.length < pipelines.length
        ? 'not started'
        : processors.map(one => one.notReady()).find(reason => reason !== undefined);
    },
  };
};
