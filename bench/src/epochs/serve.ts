/** The feature service as a process, for the pipelines of this bench (`MILLRACE_PIPELINES`). */
import { confluentRegistry } from '@millrace/avro';
import { FEATURE_SPEC, featureService } from '@millrace/feature';
import { pipelinesNamed } from '@millrace/pipelines';
import { kafkaConnection, registryConnection, runProcess } from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import { CONTESTANTS } from './pipelines.ts';

await runProcess({
  name: 'feature',
  version: '0.1.0',
  spec: FEATURE_SPEC,
  build: ({ config, telemetry: { metrics, tracing }, instance, ...context }) => {
    const broker = kafkaBroker({ ...kafkaConnection(config), ...context, clientId: instance });
    const registry = confluentRegistry({ ...registryConnection(config), clock: context.clock });
    const world = { ...context, broker, registry, metrics, tracing, config };
    return pipelinesNamed(config.pipelines, CONTESTANTS).map(pipeline =>
      featureService({ ...world, pipeline }),
    );
  },
});
