import { openCodec, type Registry } from '@millrace/avro';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { Component } from '@millrace/runtime';
import { type Broker, processor, type Processor, type TaskContext } from '@millrace/stream';
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

/** Reading begins at the lower of the two offsets: the database may have been restored, letters may be still to send. */
const createTask = async (
  options: SinkOptions,
  pipeline: Pipeline,
  topicId: string,
  clusterId: string,
  context: TaskContext<Nothing>,
): Promise<StoreTask> => {
  const { topic, partition, offset } = context.positions[0]!;
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

const pipelineProcessor = async (options: SinkOptions, pipeline: Pipeline): Promise<Processor> => {
  const topic = topicsOf(pipeline).predictions;
  const { subject, schema } = catalogue([pipeline]).find(t => t.name === topic)!.value!;
  const codec = await openCodec<PredictionValue>(options.registry, { subject, schema });
  const [description] = await options.broker.admin.describeTopics([topic]);
  if (description === undefined)
    throw new Error(`topic ${topic} does not exist; run: millrace topics apply --execute`);
  const clusterId = await options.broker.admin.clusterId();
  const { laneRowsMax: rowsHigh, laneBytesMax: bytesHigh } = options.config;
  const { broker, clock, metrics, logger } = options;
  return processor<PredictionValue, Nothing>({
    name: `sink ${pipeline.name}`,
    broker,
    group: sinkGroup(pipeline),
    inputs: [{ topic, codec, lane: { rowsHigh, rowsLow: rowsHigh / 2, bytesHigh, bytesLow: bytesHigh / 2 } }],
    outputs: {},
    delivery: 'external',
    createTask: context => createTask(options, pipeline, description.id, clusterId, context),
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
