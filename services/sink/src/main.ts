import { confluentRegistry } from '@millrace/avro';
import { pipelinesNamed } from '@millrace/pipelines';
import { httpServer, runProcess } from '@millrace/runtime';
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
    const database = openDatabase(config.databaseUrl, config);
    const bootstrapServers = config.kafkaBootstrapServers;
    const broker = kafkaBroker({ bootstrapServers, clientId: instance, logger, clock });
    const registry = confluentRegistry({ url: config.schemaRegistryUrl, clock });
    return [
      httpServer({ ...config, readiness, metrics, logger, routes: [sinkRoutes(pipelines, database)] }),
      sinkService({ pipelines, broker, registry, database, clock, metrics, tracing, logger, config }),
    ];
  },
});
