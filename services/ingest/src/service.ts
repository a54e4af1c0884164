import type { Registry } from '@millrace/avro';
import type { Pipeline } from '@millrace/define';
import {
  type Component,
  type HttpApp,
  httpServer,
  Outage,
  type Readiness,
  START_WAIT_MS_MAX,
} from '@millrace/runtime';
import type { Broker } from '@millrace/stream';
import type { Clock, Logger, PrometheusMetrics, Random, Tracing } from '@millrace/telemetry';
import type { IngestSettings } from './config.ts';
import { Seen } from './event/seen.ts';
import { openTargets, type Stream, streamsOf, type Target } from './event/target.ts';
import { ingestRoutes } from './http/routes.ts';
import { Sender } from './send/sender.ts';

export interface IngestOptions {
  readonly pipelines: readonly Pipeline[];
  readonly broker: Broker;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: PrometheusMetrics;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** Told by `/readyz`. */
  readonly readiness: Readiness;
  readonly config: IngestSettings;
  readonly version: string;
  /** Longest wait of the start for each dependency. */
  readonly startWaitMsMax?: number;
  readonly readyFile?: string | undefined;
}

export interface IngestService extends Component {
  /** For tests: answers requests without a socket. */
  readonly app: HttpApp;
  /** The port listened on. @throws before the start */
  port(): number;
}

/** @throws Error naming the remedy when a topic is absent or has another number of partitions than its definition */
const checkTopics = async (broker: Broker, streams: readonly Stream[]): Promise<void> => {
  const found = await broker.admin.describeTopics(streams.map(one => one.topic));
  for (const { topic, partitions } of streams) {
    const there = found.find(one => one.name === topic);
    if (there?.partitions === partitions) continue;
    const what =
      there === undefined ? 'does not exist' : `has ${there.partitions} partitions instead of ${partitions}`;
    throw new Error(`topic ${topic} ${what}: run \`millrace topics apply\``);
  }
};

/** Of the time to stop, the part in which requests under way may still be acknowledged. */
const ANSWER_SHARE = 0.7;

/** Takes events over HTTP, checks them, and answers when the broker has acknowledged them. */
export const ingestService = (options: IngestOptions): IngestService => {
  const { broker, registry, clock, logger, config, metrics } = options;
  if (config.apiKeys.length === 0 && !config.insecureNoAuth)
    throw new Error('no API keys are set: set INGEST_API_KEYS, or INGEST_INSECURE_NO_AUTH=true on a laptop');
  const streams = streamsOf(options.pipelines);
  const targets = new Map<Stream, Target>();
  const { sendMsMax, duplicateHorizonMs, duplicateEventsMax } = config;
  const kafka = new Outage({ dependency: 'kafka', clock, logger, metrics });
  const registryOutage = new Outage({ dependency: 'registry', clock, logger, metrics });
  const sender = new Sender({
    broker,
    clock,
    logger,
    outage: kafka,
    sendMsMax,
    recordsMax: config.sendRecordsMax,
    waitingRecordsMax: config.inFlightRecordsMax,
  });
  const seen = new Seen({ horizonMs: duplicateHorizonMs, eventsMax: duplicateEventsMax, clock });
  const { random, tracing, version, readiness, readyFile } = options;
  const targetOf = (stream: Stream): Target | undefined => targets.get(stream);
  const shared = { streams, targetOf, sender, seen, clock, random, metrics, tracing, version, config };
  const server = httpServer({
    host: config.host,
    port: config.port,
    readiness,
    metrics,
    logger,
    routes: [ingestRoutes(shared)],
    limits: { requestMsMax: config.requestMsMax, bodyBytesMax: config.bodyBytesMax },
    readyFile,
  });

  let stopping: Promise<void> | undefined;
  const stop = async (deadlineMs: number): Promise<void> => {
    // New requests are told to go elsewhere; those under way are answered first.
    targets.clear();
    const answered = new AbortController();
    // Should Kafka be away, whoever waits for it is told so while there is time to tell.
    void clock.sleep(deadlineMs * ANSWER_SHARE, answered.signal).then(
      () => sender.giveUp(),
      () => undefined, // All were answered.
    );
    await server.stop(deadlineMs);
    await sender.close();
    answered.abort(new Error('answered'));
  };
  return {
    name: 'ingest',
    app: server.app,
    port: () => server.port(),
    start: async signal => {
      await server.start(signal);
      const patience = { signal, waitMsTotalMax: options.startWaitMsMax ?? START_WAIT_MS_MAX };
      await kafka.ride(() => checkTopics(broker, streams), patience);
      const opened = await registryOutage.ride(() => openTargets(streams, registry), patience);
      await kafka.ride(() => sender.open(), patience);
      for (const [i, stream] of streams.entries()) targets.set(stream, opened[i]!);
      if (config.apiKeys.length === 0) logger.warn({}, 'events are taken from anyone: no API keys are set');
    },
    stop: deadlineMs => (stopping ??= stop(deadlineMs)),
    notReady: () => kafka.notReady() ?? registryOutage.notReady(),
  };
};
