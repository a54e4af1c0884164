/** All services in this process, on the broker and registry in memory, with a real PostgreSQL. */
import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { memoryRegistry } from '@millrace/avro';
import { FEATURE_DEFAULTS, featureService } from '@millrace/feature';
import { INFERENCE_DEFAULTS, inferenceService } from '@millrace/inference';
import { INGEST_DEFAULTS, ingestService } from '@millrace/ingest';
import { startPostgres } from '@millrace/localstack';
import { fraud, MODELS_FOLDER } from '@millrace/pipelines';
import { httpServer, Readiness, startAll } from '@millrace/runtime';
import { openDatabase, SINK_DEFAULTS, sinkRoutes, sinkService } from '@millrace/sink';
import { memoryBroker } from '@millrace/stream';
import { createTelemetry, systemClock, systemRandom } from '@millrace/telemetry';
import type { Io } from '../io.ts';
import { FIRST_MODEL_VERSION } from '../world/models.ts';
import { prepare } from '../world/prepare.ts';
import type { DemoWorld } from './world.ts';

const VERSION = '0.1.0';
const LOCAL = { host: '127.0.0.1', port: 0 };

const explain = (io: Io, reasons: readonly string[]): void => {
  io.say('');
  io.say('  No Kafka here: everything runs in ONE process, on a broker and a registry in memory.');
  for (const reason of reasons) io.say(`    - ${reason}`);
  io.say(
    '  It shows what Millrace does. It does NOT prove delivery through a real broker, separate processes, or speed;',
  );
  io.say('  install Java 17 and Maven, or give KAFKA_BOOTSTRAP_SERVERS and SCHEMA_REGISTRY_URL, for that.');
  io.say('');
};

const startServices = async (database: ReturnType<typeof openDatabase>, apiKey: string) => {
  const pipelines = [fraud];
  const clock = systemClock;
  const random = systemRandom;
  const broker = memoryBroker({ clock });
  const registry = memoryRegistry();
  // Logs of services in this process would stand between the lines of the demo; warnings still do.
  const telemetry = createTelemetry({
    service: 'millrace',
    version: VERSION,
    instance: 'memory',
    logLevel: 'error',
  });
  const { metrics, logger, tracing } = telemetry;
  const world = { broker, registry, clock, random, metrics, tracing, logger };
  await prepare({ broker, registry, clock }, pipelines, () => FIRST_MODEL_VERSION);
  const readiness = new Readiness();
  const apiKeys = [{ name: 'demo', key: apiKey, pipelines: undefined }];
  const ingest = ingestService({
    ...world,
    pipelines,
    readiness,
    version: VERSION,
    config: { ...INGEST_DEFAULTS, ...LOCAL, apiKeys },
  });
  const sink = httpServer({
    ...LOCAL,
    readiness,
    metrics,
    logger,
    routes: [sinkRoutes(pipelines, database)],
  });
  const running = await startAll(
    [
      ingest,
      ...pipelines.map(pipeline => featureService({ ...world, pipeline, tracing, config: FEATURE_DEFAULTS })),
      inferenceService({
        ...world,
        pipelines,
        models: MODELS_FOLDER,
        instance: 'memory',
        config: INFERENCE_DEFAULTS,
      }),
      sinkService({ ...world, pipelines, database, config: SINK_DEFAULTS }),
      sink,
    ],
    undefined,
    { logger, readiness },
  );
  return { broker, registry, clock, running, telemetry, ingest: ingest.port(), sink: sink.port() };
};

export const startInMemory = async (
  io: Io,
  directory: string,
  reasons: readonly string[],
): Promise<DemoWorld> => {
  explain(io, reasons);
  mkdirSync(directory, { recursive: true });
  const postgres = await startPostgres({ directory, environment: io.environment });
  const database = openDatabase({ url: postgres.url, connectionsMax: 4, connectTimeoutS: 10 });
  const apiKey = randomBytes(24).toString('hex');
  try {
    const { broker, registry, clock, running, telemetry, ingest, sink } = await startServices(
      database,
      apiKey,
    );
    const end = async (): Promise<void> => {
      await running.stop();
      await telemetry.stop();
      await broker.close();
      await postgres.stop();
    };
    return {
      way: 'memory',
      world: { broker, registry, clock },
      ingest: `http://127.0.0.1:${ingest}`,
      sink: `http://127.0.0.1:${sink}`,
      apiKey,
      hints: [
        'This ran without Kafka, in one process: see the note at the beginning. Rows were in a real PostgreSQL.',
      ],
      end,
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
};
