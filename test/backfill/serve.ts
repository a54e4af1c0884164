/** `SERVE=feature|inference node serve.ts`: the service as a process, for a pipeline that has two versions of its feature set. */
import { confluentRegistry } from '@millrace/avro';
import { FEATURE_SPEC, featureService } from '@millrace/feature';
import { INFERENCE_SPEC, inferenceService } from '@millrace/inference';
import { kafkaConnection, registryConnection, runProcess } from '@millrace/runtime';
import { kafkaBroker } from '@millrace/stream';
import { twoSetsNamed } from './definition.ts';

const version = '0.1.0';

if (process.env['SERVE'] === 'feature')
  await runProcess({
    name: 'feature',
    version,
    spec: FEATURE_SPEC,
    build: ({ config, telemetry: { metrics, tracing }, instance, ...context }) => {
      const broker = kafkaBroker({ ...kafkaConnection(config), ...context, clientId: instance });
      const registry = confluentRegistry({ ...registryConnection(config), clock: context.clock });
      const world = { ...context, broker, registry, metrics, tracing, config };
      return twoSetsNamed(config.pipelines ?? []).map(pipeline => featureService({ ...world, pipeline }));
    },
  });
else
  await runProcess({
    name: 'inference',
    version,
    spec: INFERENCE_SPEC,
    build: ({ config, telemetry: { metrics, tracing }, instance, ...context }) => {
      const broker = kafkaBroker({ ...kafkaConnection(config), ...context, clientId: instance });
      const registry = confluentRegistry({ ...registryConnection(config), clock: context.clock });
      const pipelines = twoSetsNamed(config.pipelines ?? []);
      return [inferenceService({ ...context, broker, registry, metrics, tracing, pipelines, models: config.models, instance, config })]; // prettier-ignore
    },
  });
