/** A sink on real Kafka and a real PostgreSQL, with a pipeline of its own: predictions are sent to it, rows are looked at. */
import { type Codec, confluentRegistry, openCodec, type Registry } from '@millrace/avro';
import { applySchemas, catalogue, type PredictionValue, schemaPlan, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { type Broker, kafkaBroker, type OutRecord } from '@millrace/stream';
import { type Logger, type Metrics, noLogger, systemClock } from '@millrace/telemetry';
import postgres, { type Sql } from 'postgres';
import { stackAddresses, uniqueName } from '../../../test/jest/stack.ts';
import { openDatabase, SINK_DEFAULTS, sinkGroup, sinkService } from '../src/index.ts';
import { prediction } from './prediction.ts';

const PATIENCE_MS_MAX = 30_000;
const POLL_MS = 20;
const TOLD_MAX = 300;

export interface Said {
  readonly atMs: number;
  readonly text: string;
}

/** One sink, as it runs. */
export interface RunningSink {
  /** Lines of level info and above. */
  readonly said: readonly Said[];
  /** Newest value of each gauge and sum of each counter, by name and label values. */
  readonly measured: ReadonlyMap<string, number>;
  /** Why it is not ready. */
  notReady(): string | undefined;
  /** Settles with the reason when it ends by itself. */
  readonly failed: Promise<Error>;
  stop(): Promise<void>;
}

export interface SinkWorld {
  readonly pipeline: Pipeline;
  readonly topic: string;
  readonly group: string;
  readonly broker: Broker;
  readonly sql: Sql;
  /** Deletes the topic of predictions and makes it anew, empty. */
  makeTopicAnew(): Promise<void>;
  /** Sends predictions with these ids, in one transaction. */
  send(ids: readonly string[], changes?: Partial<PredictionValue>): Promise<void>;
  /** Starts a sink and does not wait. @param url of the database, when it is not the stack's own */
  start(url?: string, limits?: Partial<typeof SINK_DEFAULTS>): RunningSink;
  /** Ids of all rows, in the order of their offsets. */
  ids(): Promise<readonly string[]>;
  storedNext(): Promise<number | undefined>;
  /** Resolves when the rows are these. */
  expectRows(ids: readonly string[]): Promise<void>;
  /** Stops every sink that runs. */
  stopSinks(): Promise<void>;
  close(): Promise<void>;
}

/** Asks until the answer will do. @throws where it never does, with the last answer */
export const eventually = async <T>(
  ask: () => T | Promise<T>,
  isEnough: (answer: T) => boolean,
): Promise<T> => {
  const end = Date.now() + PATIENCE_MS_MAX;
  for (;;) {
    const answer = await ask();
    if (isEnough(answer)) return answer;
    if (Date.now() > end)
      throw new Error(`not within ${PATIENCE_MS_MAX / 1000} s: ${JSON.stringify(answer)?.slice(-TOLD_MAX)}`);
    await new Promise(resolve => setTimeout(resolve, POLL_MS));
  }
};

const listening = () => {
  const said: Said[] = [];
  const measured = new Map<string, number>();
  const say = (_: object, text: string): void => void said.push({ atMs: Date.now(), text });
  const logger: Logger = { ...noLogger, info: say, warn: say, error: say, child: () => logger };
  const key = (name: string, labels: object): string => [name, ...Object.values(labels)].join(' ');
  const metrics: Metrics = {
    count: (name, labels, by = 1) =>
      void measured.set(key(name, labels), (measured.get(key(name, labels)) ?? 0) + by),
    set: (name, labels, value) => void measured.set(key(name, labels), value),
    observe: () => undefined,
    observeAll: () => undefined,
  };
  return { said, measured, logger, metrics };
};

const clock = systemClock;

const sinkOf = (
  pipeline: Pipeline,
  registry: Registry,
  url: string,
  limits: Partial<typeof SINK_DEFAULTS>,
): RunningSink => {
  const { said, measured, logger, metrics } = listening();
  const bootstrapServers = stackAddresses().kafka;
  const broker = kafkaBroker({ bootstrapServers, clientId: 'sink', logger: noLogger, clock });
  const database = openDatabase({ url, connectionsMax: 2, connectTimeoutS: 2, answerTimeoutS: 2 });
  const config = { ...SINK_DEFAULTS, ...limits };
  const service = sinkService({
    pipelines: [pipeline],
    broker,
    registry,
    database,
    clock,
    metrics,
    logger,
    config,
  });
  const ended = new AbortController();
  const starting = service.start(ended.signal);
  const failed = Promise.race([starting.then(() => service.failed!), service.failed!]).catch(
    (error: unknown) => error as Error,
  );
  const stop = async (): Promise<void> => {
    ended.abort(new Error('the test stops it'));
    await starting.catch(() => undefined); // `failed` tells of it.
    await service.stop(5_000);
    await broker.close();
  };
  return { said, measured, failed, notReady: () => service.notReady!(), stop };
};

/** A zero for each feature, as a schema generated from the pipeline wants them. */
const noFeatures = (schema: string): PredictionValue['features'] => {
  const { fields } = JSON.parse(schema) as {
    fields: { name: string; type: { fields: { name: string }[] } }[];
  };
  const features = fields.find(({ name }) => name === 'features')!.type.fields;
  return Object.fromEntries(features.map(({ name }) => [name, 0]));
};

const recordsOf = (
  topic: string,
  codec: Codec<PredictionValue>,
  ids: readonly string[],
  changes: Partial<PredictionValue>,
): OutRecord[] =>
  ids.map(id => ({
    topic,
    partition: 0,
    key: Buffer.from('C1'),
    value: codec.encode(prediction(id, changes)),
  }));

export const openSinkWorld = async (): Promise<SinkWorld> => {
  const { kafka, registry: url, postgres: databaseUrl } = stackAddresses();
  const pipeline: Pipeline = { ...fraud, name: uniqueName('sink'), partitions: 1 };
  const { predictions: topic } = topicsOf(pipeline);
  const broker = kafkaBroker({ bootstrapServers: kafka, clientId: 'test', logger: noLogger, clock });
  const registry = confluentRegistry({ url, clock });
  const topics = catalogue([pipeline]).filter(({ name }) => name.startsWith(topic));
  const names = topics.map(({ name }) => name);
  const make = (wanted: typeof topics) =>
    broker.admin.createTopics(wanted.map(({ name, config }) => ({ name, partitions: 1, config })));
  const makeTopicAnew = async (): Promise<void> => {
    await broker.admin.deleteTopics([topic]);
    await eventually(
      () => broker.admin.describeTopics([topic]),
      found => found.length === 0,
    );
    await make(topics.filter(({ name }) => name === topic));
  };
  await make(topics);
  await applySchemas(registry, await schemaPlan(registry, topics));
  const value = topics.find(({ name }) => name === topic)!.value!;
  const codec = await openCodec<PredictionValue>(registry, value);
  const features = noFeatures(value.schema);
  const database = openDatabase({ url: databaseUrl, connectionsMax: 1, connectTimeoutS: 10 });
  await database.migrate();
  await database.close();
  const producer = await broker.transactionalProducer(uniqueName('sink-test'));
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  const sinks: RunningSink[] = [];
  const group = sinkGroup(pipeline);
  const stopSinks = async (): Promise<void> => {
    for (const sink of sinks.splice(0)) await sink.stop();
  };

  const ids = async (): Promise<readonly string[]> => {
    const rows = await sql<{ prediction_id: string }[]>`
      SELECT prediction_id FROM millrace.predictions WHERE pipeline = ${pipeline.name} ORDER BY topic_offset`;
    return rows.map(row => row.prediction_id);
  };
  return {
    pipeline, topic, group, broker, sql, makeTopicAnew, ids,
    send: async (sent, changes = {}) => {
      await producer.send(recordsOf(topic, codec, sent, { features, ...changes }));
      await producer.commit();
    },
    start: (at = databaseUrl, limits = {}) => {
      const sink = sinkOf(pipeline, registry, at, limits);
      sinks.push(sink);
      return sink;
    },
    storedNext: async () => {
      const [row] = await sql<{ next_offset: string }[]>`
        SELECT next_offset FROM millrace.consumer_offsets WHERE consumer_group = ${group} AND topic = ${topic}`;
      return row === undefined ? undefined : Number(row.next_offset);
    },
    expectRows: async wanted => {
      await eventually(ids, found => found.length >= wanted.length);
      const found = await ids();
      if (JSON.stringify(found) !== JSON.stringify(wanted))
        throw new Error(`of ${wanted.length} rows there are ${found.length}, or others`);
    },
    stopSinks,
    close: async () => {
      await stopSinks();
      await producer.close();
      await broker.admin.deleteTopics(names);
      await broker.close();
      await sql.end();
    },
  }; // prettier-ignore
};
