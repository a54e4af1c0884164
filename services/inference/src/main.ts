import { confluentRegistry } from '@millrace/avro';
import { nearbyScorer } from '@millrace/model';
import { pipelinesNamed } from '@millrace/pipelines';
import { httpServer, kafkaConnection, registryConnection, runProcess } from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import { INFERENCE_SPEC } from './config.ts';
import { inferenceService } from './service.ts';

await runProcess({
  name: 'inference',
  version: '0.1.0',
  spec: INFERENCE_SPEC,
  build: ({ config, telemetry, logger, clock, random, instance, readiness }) => {
    const { metrics, tracing } = telemetry;
    const broker = kafkaBroker({ ...kafkaConnection(config), clientId: instance, logger, clock });
    const registry = confluentRegistry({ ...registryConnection(config), clock });
    const pipelines = pipelinesNamed(config.pipelines);
    const world = { broker, registry, clock, random, metrics, tracing, logger };
    return [
      httpServer({ ...config, readiness, metrics, logger, routes: [] }),
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
});
