import { systemClock } from '@millrace/telemetry';
import { memoryBroker } from '../../src/memory/broker.ts';
import { brokerContract } from '../broker/contract.ts';

brokerContract('the broker in memory', async () => {
  const cluster = memoryBroker({ clock: systemClock });
  return {
    connect: () => cluster.connect(),
    compact: async topic => cluster.compact(topic),
    dropBefore: async ({ topic, partition, offset }) => cluster.dropBefore(topic, partition, offset),
    compactedConfig: { 'cleanup.policy': 'compact' },
    close: () => cluster.close(),
  };
});
