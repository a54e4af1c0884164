import { confluentRegistry } from '@millrace/avro';
import { pipelinesNamed } from '@millrace/pipelines';
import { httpServer, kafkaConnection, registryConnection, runProcess } from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import { FEATURE_SPEC } from './config.ts';
import { featureService } from './service.ts';

await runProcess({
  name: 'feature',
  version: '0.1.0',
  spec: FEATURE_SPEC,
  build: ({ config, telemetry, logger, clock, random, instance, readiness }) => {
    const { metrics, tracing } = telemetry;
    const broker = kafkaBroker({ ...kafkaConnection(config), clientId: instance, logger, clock });
    const registry = confluentRegistry({ ...registryConnection(config), clock });
    const world = { broker, registry, clock, random, metrics, logger, tracing, config };
    return [
      httpServer({ ...config, readiness, metrics, logger, routes: [] }),
      ...pipelinesNamed(config.pipelines).map(pipeline => featureService({ ...world, pipeline })),
    ];
  },
});
