import { memoryRegistry, openCodec } from '@millrace/avro';
import { applySchemas, catalogue, schemaPlan } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { Readiness } from '@millrace/runtime';
import { type Broker, type MemoryBroker, memoryBroker } from '@millrace/stream';
import {
  noLogger,
  noMetrics,
  noTracing,
  type PrometheusMetrics,
  type TurnedClock,
  turnedClock,
} from '@millrace/telemetry';
import { INGEST_DEFAULTS, type IngestOptions, ingestService, type IngestService } from '../src/index.ts';

export const NOW_MS = 1_700_000_000_000;
export const KEY = 'a-key-for-tests';
export const AUTH = { authorization: `Bearer ${KEY}` } as const;
export const TOPIC = 'fraud.transactions.v1';

/** A transaction as a client sends it. */
export const transaction = (more: object = {}): Record<string, unknown> => ({
  txAt: '2023-11-14T22:13:20Z',
  customerId: 'c1',
  terminalId: 't1',
  amount: 12.5,
  ...more,
});

/** Counts that were made, by name and labels. */
export const countingMetrics = () => {
  const counts = new Map<string, number>();
  const metrics: PrometheusMetrics = {
    ...noMetrics,
    count: (name, labels, by = 1) => {
      const key = [name, ...Object.values(labels as Record<string, string>)].join(' ');
      counts.set(key, (counts.get(key) ?? 0) + by);
    },
    text: async () => '',
    contentType: 'text/plain',
    stop: () => undefined,
  };
  return { counts, metrics };
};

export interface Harness {
  readonly service: IngestService;
  readonly broker: MemoryBroker;
  readonly clock: TurnedClock;
  readonly counts: ReadonlyMap<string, number>;
  /** Posts to the transactions of fraud unless told otherwise. */
  post(payload: string | Buffer | object, headers?: Record<string, string>, url?: string): Promise<Answered>;
  /** What stands on the topic, in order per partition. */
  records(topic?: string): Promise<readonly Stored[]>;
  stop(): Promise<void>;
}

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Stored {
  readonly partition: number;
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly traceparent: string | undefined;
}

type Change = Partial<Omit<IngestOptions, 'config'>> & { readonly config?: Partial<IngestOptions['config']> };

/** Ingest over a broker and a registry in memory. @param wrap stands between the service and the broker */
export const startIngest = async (
  change: Change = {},
  wrap: (broker: Broker) => Broker = b => b,
): Promise<Harness> => {
  let drawn = 0;
  const clock = turnedClock(NOW_MS);
  const broker = memoryBroker({ clock });
  const registry = memoryRegistry();
  const topics = catalogue([fraud]);
  await broker.admin.createTopics(
    topics.map(({ name, partitions, config }) => ({ name, partitions, config })),
  );
  await applySchemas(registry, await schemaPlan(registry, topics));
  const { counts, metrics } = countingMetrics();
  const config = {
    ...INGEST_DEFAULTS,
    host: '127.0.0.1',
    port: 0,
    apiKeys: [{ name: 'till', key: KEY }],
    ...change.config,
  };
  const readiness = new Readiness();
  const service = ingestService({
    pipelines: [fraud],
    broker: wrap(broker),
    registry,
    clock,
    random: () => (drawn = (drawn + 0.618_033_988_749_895) % 1),
    metrics,
    logger: noLogger,
    tracing: noTracing,
    readiness,
    version: '0.0.1',
    ...change,
    config,
  });
  const stop = async (): Promise<void> => {
    await service.stop(1_000);
    await broker.close();
  };
  // As `startAll` does: a part whose start failed is stopped.
  await service.start(new AbortController().signal).catch(async (error: unknown) => {
    await stop();
    throw error;
  });

  const post: Harness['post'] = async (payload, headers = {}, url = '/v1/fraud/transactions') => {
    const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
    const answer = await service.app.inject({
      method: 'POST',
      url,
      payload: body,
      headers: { 'content-type': 'application/json', ...AUTH, ...headers },
    });
    return { status: answer.statusCode, headers: answer.headers, body: answer.json() };
  };
  const records: Harness['records'] = async (topic = TOPIC) => {
    const { subject, schema } = topics.find(one => one.name === topic)!.value!;
    const codec = await openCodec<Record<string, unknown>>(registry, { subject, schema });
    const stored: Stored[] = [];
    const until = await broker.admin.endOffsets(topic);
    for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
      for (let i = 0; i < run.length; i++) {
        const header = run.header(i, 'traceparent');
        stored.push({
          partition: run.partition,
          key: Buffer.from(run.key(i)!).toString(),
          value: codec.decode(run.value(i)!) as Record<string, unknown>,
          traceparent: header === undefined ? undefined : Buffer.from(header).toString(),
        });
      }
    return stored;
  };
  return { service, broker, clock, counts, post, records, stop };
};
