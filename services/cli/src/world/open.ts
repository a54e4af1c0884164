import { confluentRegistry } from '@millrace/avro';
import { kafkaBroker } from '@millrace/stream';
import { type Logger, noLogger, systemClock } from '@millrace/telemetry';
import type { Addresses } from './addresses.ts';
import type { World } from './prepare.ts';

/** Clients of a running world; `close` the broker when done. */
export const openWorld = (
  addresses: Pick<Addresses, 'kafka' | 'registry' | 'security'>,
  logger: Logger = noLogger,
): World => ({
  broker: kafkaBroker({
    ...addresses.security?.kafka,
    bootstrapServers: addresses.kafka.split(','),
    clientId: 'millrace-cli',
    logger,
    clock: systemClock,
  }),
  registry: confluentRegistry({
    url: addresses.registry,
    ...addresses.security?.registry,
    clock: systemClock,
  }),
  clock: systemClock,
});

/** Runs with clients that are closed afterwards, whatever happens. */
export const withWorld = async <T>(
  addresses: Pick<Addresses, 'kafka' | 'registry' | 'security'>,
  use: (world: World) => Promise<T>,
): Promise<T> => {
  const world = openWorld(addresses);
  try {
    return await use(world);
  } finally {
    await world.broker.close();
  }
};

/** Uses both coordinators once: a broker that has just started does not have them ready. */
export const warmUp = async (bootstrap: string): Promise<void> => {
  const broker = kafkaBroker({
    bootstrapServers: bootstrap.split(','),
    clientId: 'millrace-warm-up',
    logger: noLogger,
    clock: systemClock,
  });
  try {
    await broker.admin.committed('millrace.warm-up', []);
    const producer = await broker.transactionalProducer('millrace.warm-up');
    await producer.close();
  } finally {
    await broker.close();
  }
};
