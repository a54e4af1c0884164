import { confluentRegistry } from '@millrace/avro';
import { pipelinesNamed } from '@millrace/pipelines';
import { kafkaConnection, registryConnection, runProcess } from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import { INGEST_SPEC } from './config.ts';
import { ingestService } from './service.ts';

const VERSION = '0.1.0';

await runProcess({
  name: 'ingest',
  version: VERSION,
  spec: INGEST_SPEC,
  build: ({ config, telemetry, logger, clock, random, instance, readiness }) => {
    const { metrics, tracing } = telemetry;
    const broker = kafkaBroker({ ...kafkaConnection(config), clientId: instance, logger, clock });
    const registry = confluentRegistry({ ...registryConnection(config), clock });
    const pipelines = pipelinesNamed(config.pipelines);
    const { readyFile } = config;
    const world = { broker, registry, clock, random, metrics, tracing, logger, readiness };
    return [
      { name: 'broker', start: async () => undefined, stop: () => broker.close() },
      ingestService({ ...world, pipelines, config, version: VERSION, readyFile }),
    ];
  },
});
