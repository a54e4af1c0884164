/** `BENCH_DELIVERY=exactly-once|at-least-once node serve.ts`: the inference service as it ships, for a pipeline that does not. */
import { confluentRegistry } from '@millrace/avro';
import { INFERENCE_SPEC, inferenceService } from '@millrace/inference';
import { httpServer, kafkaConnection, registryConnection, runProcess } from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import type { Delivery } from '../contestants.ts';
import { ffnnPipeline } from './ffnn.ts';

const pipelines = [ffnnPipeline(process.env['BENCH_DELIVERY'] as Delivery)];

await runProcess({
  name: 'inference',
  version: '0.1.0',
  spec: INFERENCE_SPEC,
  build: ({ config, telemetry, logger, clock, random, instance, readiness }) => {
    const { metrics, tracing } = telemetry;
    const broker = kafkaBroker({ ...kafkaConnection(config), clientId: instance, logger, clock });
    const registry = confluentRegistry({ ...registryConnection(config), clock });
    const world = { broker, registry, clock, random, metrics, tracing, logger };
    return [
      httpServer({ ...config, readiness, metrics, logger, routes: [] }),
      inferenceService({ ...world, pipelines, models: config.models, instance, config }),
    ];
  },
});
