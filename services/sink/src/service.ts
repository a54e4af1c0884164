import { openCodec, type Registry } from '@millrace/avro';
import { asideTopic, catalogue, deadLetterTopic, type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { Component } from '@millrace/runtime';
import {
  type Broker,
  type PartitionOffset,
  processor,
  type Processor,
  type Task,
  type TaskContext,
} from '@millrace/stream';
import { type Clock, type Logger, type Metrics, noTracing, type Tracing } from '@millrace/telemetry';
import type { SinkConfig } from './config.ts';
import type { Database, SinkPartition } from './postgres/database.ts';
import { StoreTask } from './task.ts';

export interface SinkOptions {
  readonly pipelines: readonly Pipeline[];
  readonly broker: Broker;
  readonly registry: Registry;
  readonly database: Database;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracing?: Tracing;
  readonly logger: Logger;
  readonly config: Pick<SinkConfig, 'rowsMax' | 'laneRowsMax' | 'laneBytesMax'>;
}

export const sinkGroup = (pipeline: Pipeline): string => `millrace.sink.${pipeline.name}`;

type Nothing = Record<string, never>;

/** What an input topic is told apart by, should it be deleted and made anew, or the cluster be another. */
interface Identities {
  readonly clusterId: string;
  readonly topicIds: ReadonlyMap<string, string>;
}

/** Reading begins at the lower of the two offsets: the database may have been restored, letters may be still to send. */
const storeTask = async (
  options: SinkOptions,
  pipeline: Pipeline,
  { clusterId, topicIds }: Identities,
  context: TaskContext<Nothing>,
  { topic, partition, offset }: PartitionOffset,
): Promise<StoreTask> => {
  const topicId = topicIds.get(topic)!;
  const at: SinkPartition = { clusterId, group: sinkGroup(pipeline), topic, topicId, partition };
  const stored = await options.database.storedOffset(at);
  if (stored !== undefined && stored < offset) context.seek({ topic, partition, offset: stored });
  return new StoreTask({
    pipeline: pipeline.name,
    at,
    storedNext: stored ?? offset,
    rowsMax: options.config.rowsMax,
    database: options.database,
    clock: options.clock,
    metrics: options.metrics,
    tracing: options.tracing ?? noTracing,
  });
};

/** The predictions and what is sent again aside of them: each partition is stored by itself, with its own offset. */
const createTask = async (
  options: SinkOptions,
  pipeline: Pipeline,
  identities: Identities,
  context: TaskContext<Nothing>,
): Promise<Task<PredictionValue, Nothing>> => {
  const tasks = new Map<string, StoreTask>();
  for (const at of context.positions)
    tasks.set(at.topic, await storeTask(options, pipeline, identities, context, at));
  return { handle: (batch, out) => tasks.get(batch.topic)!.handle(batch, out) };
};

const identitiesOf = async ({ admin }: Broker, topics: readonly string[]): Promise<Identities> => {
  const found = await admin.describeTopics(topics);
  const topicIds = new Map(found.map(({ name, id }) => [name, id]));
  const missing = topics.filter(topic => !topicIds.has(topic));
  if (missing.length > 0)
    throw new Error(`no topic ${missing.join(', ')}; run: millrace topics apply --execute`);
  return { clusterId: await admin.clusterId(), topicIds };
};

const pipelineProcessor = async (options: SinkOptions, pipeline: Pipeline): Promise<Processor> => {
  const { predictions } = topicsOf(pipeline);
  const topics = [predictions, asideTopic(predictions)];
  const { subject, schema } = catalogue([pipeline]).find(t => t.name === predictions)!.value!;
  const codec = await openCodec<PredictionValue>(options.registry, { subject, schema });
  const { laneRowsMax: rowsHigh, laneBytesMax: bytesHigh } = options.config;
  const lane = { rowsHigh, rowsLow: rowsHigh / 2, bytesHigh, bytesLow: bytesHigh / 2 };
  const { broker, clock, metrics, logger } = options;
  const identities = await identitiesOf(broker, topics);
  return processor<PredictionValue, Nothing>({
    name: `sink ${pipeline.name}`,
    broker,
    group: sinkGroup(pipeline),
    inputs: topics.map(topic => ({ topic, codec, lane })),
    outputs: {},
    delivery: 'external',
    deadLetters: deadLetterTopic,
    createTask: context => createTask(options, pipeline, identities, context),
    clock,
    metrics,
    logger,
  });
};

/** Stores the predictions of every pipeline; ready when the database is migrated and the groups are joined. */
export const sinkService = (options: SinkOptions): Component => {
  const processors: Processor[] = [];
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // whoever runs us listens; nobody may be listening yet
  return {
    name: 'sink',
    failed: failure.promise,
    start: async signal => {
      await options.database.migrate();
      for (const pipeline of options.pipelines) {
        const one = await pipelineProcessor(options, pipeline);
        processors.push(one);
        one.failed.catch((error: unknown) => failure.reject(error));
        await one.start(signal);
      }
    },
    stop: async deadlineMs => {
      await Promise.all(processors.map(one => one.stop(deadlineMs)));
      await options.database.close();
    },
    notReady: () =>
      processors.length < options.pipelines.length
        ? 'not started'
        : processors.map(one => one.notReady()).find(reason => reason !== undefined),
  };
};
