import { freePorts } from '../children/ports.ts';
import { LOCK } from '../cache/lock.ts';
import { brokerSettings, CLUSTER_ID } from '../kafka/properties.ts';
import { requireCompatibility } from '../registry/start.ts';
import type { Running } from '../running.ts';
import type { Plan } from '../stack.ts';

const START_TIMEOUT_MS = 180_000;
const REGISTRY_PORT = 8080;
const POSTGRES_PORT = 5432;

/**
 * Starts the parts as containers of a local engine: one broker, nothing kept. The engine's reaper ends the containers
 * when this process dies.
 */
export async function startContainers(plan: Plan, running: Running): Promise<void> {
  if (plan.keep)
    throw new Error('containers end with the process that started them: keep is for child processes');
  if (plan.brokers !== 1) throw new Error('three brokers are to be had as child processes only');
  const { GenericContainer } = await import('testcontainers');
  plan.onProgress(`starting containers for ${plan.parts.join(', ')}; the first start pulls images`);
  const start = async (container: InstanceType<typeof GenericContainer>) => {
    const started = await container.withStartupTimeout(START_TIMEOUT_MS).start();
    running.afterwards.push(async () => {
      await started.stop();
    });
    return started;
  };
  // One after the other: pulling images side by side is not faster, and a failure is easier to read.
  if (plan.parts.includes('kafka')) {
    const [port] = await freePorts(1);
    const kafka = new GenericContainer(LOCK.images.kafka)
      .withEnvironment(kafkaEnvironment(port!))
      .withExposedPorts({ container: port!, host: port! });
    await start(kafka);
    running.kafka = `127.0.0.1:${port}`;
  }
  if (plan.parts.includes('registry')) {
    const registry = await start(new GenericContainer(LOCK.images.registry).withExposedPorts(REGISTRY_PORT));
    running.registry = `http://${registry.getHost()}:${registry.getMappedPort(REGISTRY_PORT)}/apis/ccompat/v7`;
    await requireCompatibility(running.registry);
  }
  if (plan.parts.includes('postgres')) {
    const postgres = await start(
      new GenericContainer(LOCK.images.postgres)
        .withEnvironment({
          POSTGRES_USER: 'millrace',
          POSTGRES_DB: 'millrace',
          POSTGRES_HOST_AUTH_METHOD: 'trust',
        })
        .withExposedPorts(POSTGRES_PORT),
    );
    running.postgres = `postgres://millrace@${postgres.getHost()}:${postgres.getMappedPort(POSTGRES_PORT)}/millrace`;
  }
}

/** The image reads each setting from a variable; clients must find the same port inside and outside. */
export function kafkaEnvironment(port: number): Record<string, string> {
  const place = { nodeId: 1, port, controllerPort: port + 1, dataDirectory: '/tmp/kafka-data' };
  const settings: Readonly<Record<string, string | number | boolean>> = {
    ...brokerSettings(place, [place]),
    listeners: `PLAINTEXT://0.0.0.0:${port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
  };
  const variables = Object.entries(settings).map(
    ([name, value]) => [`KAFKA_${name.replaceAll('.', '_').toUpperCase()}`, String(value)] as const,
  );
  return { ...Object.fromEntries(variables), CLUSTER_ID };
}
