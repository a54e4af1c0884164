import { describeStack, stackAddresses } from '../../../../test/jest/stack.ts';
import { noLogger, systemClock } from '@millrace/telemetry';
import { kafkaBroker } from '../../src/kafka/broker.ts';
import type { KafkaBytes } from '../../src/kafka/connect.ts';
import { brokerContract } from '../broker/contract.ts';
import { type BrokerHarness, eventually, out, pause, readAll, unique } from '../broker/harness.ts';
import { dropRecords } from './dropRecords.ts';

describeStack('on a real cluster', () => {
  brokerContract('Kafka', () => makeHarness('own'));
  brokerContract('Kafka, its bytes read and written by kafkajs,', () => makeHarness('stock'));
});

async function makeHarness(bytes: KafkaBytes): Promise<BrokerHarness> {
  const { kafka: bootstrapServers } = stackAddresses();
  const connect = () =>
    kafkaBroker({ bootstrapServers, clientId: 'contract', bytes, logger: noLogger, clock: systemClock });
  const own = connect();
  return {
    connect,
    compact: async topic => {
      const producer = await own.producer();
      // The cleaner may have begun before we look: what it has done, not what it does, is waited for.
      const cleaned = async (): Promise<boolean> => {
        // The active segment is never cleaned: a later record ends it.
        await producer.send([out(topic, 0, 'roll', unique('roll'))]);
        await pause(500);
        const keys = (await readAll(own, topic)).map(({ key }) => key).filter(key => key !== 'roll');
        return keys.length === new Set(keys).size;
      };
      await eventually('the cleaner', cleaned, 100_000);
    },
    dropBefore: at => dropRecords(bootstrapServers, at),
    compactedConfig: {
      'cleanup.policy': 'compact',
      'segment.ms': '100',
      'min.cleanable.dirty.ratio': '0.01',
      'min.compaction.lag.ms': '0',
      'max.compaction.lag.ms': '1',
    },
    close: () => own.close(),
  };
}
