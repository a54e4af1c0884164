import { confluentRegistry } from '@millrace/avro';
import { pipelinesNamed } from '@millrace/pipelines';
import {
  databaseConnection,
  httpServer,
  kafkaConnection,
  registryConnection,
  runProcess,
} from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import { SINK_SPEC } from './config.ts';
import { openDatabase } from './postgres/database.ts';
import { sinkRoutes } from './routes.ts';
import { sinkService } from './service.ts';

await runProcess({
  name: 'sink',
  version: '0.1.0',
  spec: SINK_SPEC,
  build: ({ config, telemetry, logger, clock, instance, readiness }) => {
    const { metrics, tracing } = telemetry;
    const pipelines = pipelinesNamed(config.pipelines);
    const database = openDatabase({ ...databaseConnection(config), ...config, clock });
    const broker = kafkaBroker({ ...kafkaConnection(config), clientId: instance, logger, clock });
    const registry = confluentRegistry({ ...registryConnection(config), clock });
    return [
      httpServer({ ...config, readiness, metrics, logger, routes: [sinkRoutes(pipelines, database)] }),
      sinkService({ pipelines, broker, registry, database, clock, metrics, tracing, logger, config }),
    ];
  },
});
