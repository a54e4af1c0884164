/** `BENCH_SERVICE=feature|inference|sink node serve.ts`: a service as it ships, for pipelines of the benches, which do not ship. */
import { confluentRegistry } from '@millrace/avro';
import { FEATURE_SPEC, featureService } from '@millrace/feature';
import { INFERENCE_SPEC, inferenceService } from '@millrace/inference';
import { nearbyScorer } from '@millrace/model';
import { pipelinesNamed } from '@millrace/pipelines';
import {
  databaseConnection, httpServer, kafkaConnection, kafkaFields, type ProcessContext, registryConnection, registryFields, runProcess, usual,
} from '@millrace/runtime'; // prettier-ignore
import { openDatabase, SINK_SPEC, sinkRoutes, sinkService } from '@millrace/sink';
import { kafkaBroker } from '@millrace/stream';
import { benchPipelines } from './pipelines.ts';
import type { ServiceName } from './service.ts';

const VERSION = '0.1.0';
const SHARED = { ...kafkaFields, ...registryFields, host: usual.host, port: usual.port };

/** What every service is handed. */
const worldOf = ({ config, telemetry, logger, clock, random, instance }: ProcessContext<typeof SHARED>) => ({
  broker: kafkaBroker({ ...kafkaConnection(config), clientId: instance, logger, clock }),
  registry: confluentRegistry({ ...registryConnection(config), clock }),
  metrics: telemetry.metrics,
  tracing: telemetry.tracing,
  clock,
  random,
  logger,
});

const among = benchPipelines();

const RUNS: Readonly<Record<ServiceName, () => Promise<void>>> = {
  feature: () =>
    runProcess({
      name: 'feature',
      version: VERSION,
      spec: FEATURE_SPEC,
      build: ({ config, readiness, ...context }) => {
        const world = worldOf({ config, readiness, ...context });
        return [
          httpServer({ ...config, ...world, readiness, routes: [] }),
          ...pipelinesNamed(config.pipelines, among).map(pipeline =>
            featureService({ ...world, config, pipeline }),
          ),
        ];
      },
    }),
  inference: () =>
    runProcess({
      name: 'inference',
      version: VERSION,
      spec: INFERENCE_SPEC,
      build: ({ config, readiness, instance, ...context }) => {
        const world = worldOf({ config, readiness, instance, ...context });
        const pipelines = pipelinesNamed(config.pipelines, among);
        return [
          httpServer({ ...config, ...world, readiness, routes: [] }),
          inferenceService({
            ...world,
            pipelines,
            models: config.models,
            makeScorer: nearbyScorer,
            instance,
            config,
          }),
        ];
      },
    }),
  sink: () =>
    runProcess({
      name: 'sink',
      version: VERSION,
      spec: SINK_SPEC,
      build: ({ config, readiness, ...context }) => {
        const world = worldOf({ config, readiness, ...context });
        const pipelines = pipelinesNamed(config.pipelines, among);
        const database = openDatabase({ ...databaseConnection(config), ...config, clock: world.clock });
        return [
          httpServer({ ...config, ...world, readiness, routes: [sinkRoutes(pipelines, database)] }),
          sinkService({ ...world, pipelines, database, config }),
        ];
      },
    }),
};

await RUNS[process.env['BENCH_SERVICE'] as ServiceName]();
