import { expect, test } from '@jest/globals';
import { noLogger, type TurnedClock, turnedClock } from '@millrace/telemetry';
import { Coordinator, TRANSACTION } from '../../src/kafka/coordinator.ts';
import type { Cluster, Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { KafkaTransactionalProducer } from '../../src/kafka/transactional.ts';
import { out } from '../broker/harness.ts';

const TIMEOUT_MS = 20_000;
const AGE_MS_MAX = 15_000;
const refusal = (type: string): Error => Object.assign(new Error(type), { type, retriable: true });

/** A producer whose only node answers as it is told, and notes what it was asked. */
const producerOn = (
  clock: TurnedClock,
  answers: {
    produce?: () => Promise<void>;
    txnOffsetCommit?: () => Promise<void>;
    addPartitions?: (topics: readonly string[]) => void;
  } = {},
) => {
  const asked: string[] = [];
  const note = (what: string) => async (): Promise<void> => void asked.push(what);
  const node = {
    nodeId: 1,
    addPartitionsToTxn: async ({ topics }: Parameters<Node['addPartitionsToTxn']>[0]) => {
      answers.addPartitions?.(topics.map(({ topic }) => topic));
      await note('add partitions')();
    },
    addOffsetsToTxn: note('add offsets'),
    connectionPool: {
      send: ({ request }: ProtocolRequest) =>
        request.apiName === 'Produce'
          ? (answers.produce ?? note('produce'))()
          : (answers.txnOffsetCommit ?? note('offsets'))(),
    },
    endTxn: ({ transactionResult }: Parameters<Node['endTxn']>[0]) =>
      note(transactionResult ? 'commit' : 'abort')(),
  };
  const cluster = {
    isConnected: () => false,
    connect: () => Promise.resolve(),
    refreshMetadata: () => Promise.resolve(),
    refreshMetadataIfNecessary: () => Promise.resolve(),
    addMultipleTargetTopics: () => Promise.resolve(),
    findGroupCoordinator: () => Promise.resolve(node),
    findBroker: () => Promise.resolve(node),
    findTopicPartitionMetadata: () => [{ partitionId: 0, leader: 1 }],
    brokerPool: { brokers: {}, seedBroker: undefined },
  } as unknown as Cluster;
  const options = {
    bootstrapServers: 'nowhere:1',
    clientId: 'test',
    logger: noLogger,
    clock,
    transactionTimeoutMs: TIMEOUT_MS,
  };
  const held = { transactionalId: 'tx', producerId: '7', producerEpoch: 0, sequences: new Map() };
  const coordinator = new Coordinator(cluster, 'tx', TRANSACTION);
  return { producer: new KafkaTransactionalProducer(cluster, coordinator, held, options), asked };
};

const RECORDS = [out('t', 0, 'k', 'v')];
const OFFSETS = [{ topic: 'in', partition: 0, offset: 5 }];

test('a transaction that is left open is aborted well before the broker would, and its producer is dead', async () => {
  const clock = turnedClock();
  const { producer, asked } = producerOn(clock);
  await producer.send(RECORDS);
  await clock.turn(AGE_MS_MAX - 1);
  expect(asked).toEqual(['add partitions', 'produce']);
  await clock.turn(1);
  expect(asked).toEqual(['add partitions', 'produce', 'abort']);
  await expect(producer.commit()).rejects.toThrow('dead');
  await producer.close();
  expect(asked).not.toContain('commit');
});

test('one that has ended is not touched again, and the next has an age of its own', async () => {
  const clock = turnedClock();
  const { producer, asked } = producerOn(clock);
  await producer.send(RECORDS);
  await clock.turn(10_000);
  await producer.commit();
  await producer.sendOffsets('g', OFFSETS);
  await clock.turn(10_000);
  await producer.commit();
  await clock.turn(10 * TIMEOUT_MS);
  expect(asked.filter(what => what === 'commit')).toHaveLength(2);
  expect(asked).not.toContain('abort');
});

test('what is refused for now is tried again only as long as the transaction is young', async () => {
  const clock = turnedClock();
  const { producer } = producerOn(clock, { produce: () => Promise.reject(refusal('NOT_ENOUGH_REPLICAS')) });
  let failedAtMs: number | undefined;
  const sent = producer.send(RECORDS).catch(() => (failedAtMs = clock.now()));
  await clock.turn(TIMEOUT_MS);
  await sent;
  expect(failedAtMs).toBeLessThanOrEqual(AGE_MS_MAX);
});

test('one that grew too old while a request was under way is not committed', async () => {
  const clock = turnedClock();
  const answer = Promise.withResolvers<void>();
  const { producer, asked } = producerOn(clock, { txnOffsetCommit: () => answer.promise });
  await producer.send(RECORDS);
  const offsets = producer.sendOffsets('g', OFFSETS);
  await clock.turn(AGE_MS_MAX);
  answer.resolve();
  await offsets;
  await expect(producer.commit()).rejects.toThrow();
  expect(asked).not.toContain('commit');
});

test('a topic that may not be written to is named, also where Kafka says first that it has not looked at another', async () => {
  const { producer } = producerOn(turnedClock(), {
    addPartitions: topics => {
      if (topics.includes('forbidden'))
        throw Object.assign(
          refusal(topics[0] === 'forbidden' ? 'TOPIC_AUTHORIZATION_FAILED' : 'OPERATION_NOT_ATTEMPTED'),
          { retriable: false },
        );
    },
  });
  await expect(producer.send([out('t', 0, 'k', 'v'), out('forbidden', 0, 'k', 'v')])).rejects.toMatchObject({
    name: 'RefusedError',
    message: expect.stringContaining('TOPIC_AUTHORIZATION_FAILED'),
  });
});
