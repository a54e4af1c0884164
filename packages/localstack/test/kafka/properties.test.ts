import { expect, test } from '@jest/globals';
import { brokerProperties, type BrokerPlace, CLUSTER_ID } from '../../src/kafka/properties.ts';

const places = [1, 2, 3].map((nodeId): BrokerPlace => ({
  nodeId,
  port: 9000 + nodeId,
  controllerPort: 9100 + nodeId,
  dataDirectory: `/data/${nodeId}`,
}));

function read(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

test('one broker needs no other to acknowledge', () => {
  const found = read(brokerProperties(places[0]!, [places[0]!]));
  expect(found).toMatchObject({
    'node.id': '1',
    listeners: 'PLAINTEXT://127.0.0.1:9001,CONTROLLER://127.0.0.1:9101',
    'controller.quorum.voters': '1@127.0.0.1:9101',
    'transaction.state.log.min.isr': '1',
    'offsets.topic.replication.factor': '1',
    'auto.create.topics.enable': 'false',
  });
});

test('three brokers keep three copies, of which two must acknowledge', () => {
  const found = read(brokerProperties(places[2]!, places));
  expect(found).toMatchObject({
    'node.id': '3',
    'controller.quorum.voters': '1@127.0.0.1:9101,2@127.0.0.1:9102,3@127.0.0.1:9103',
    'transaction.state.log.min.isr': '2',
    'transaction.state.log.replication.factor': '3',
    'min.insync.replicas': '2',
    'log.dirs': '/data/3',
  });
});

test('behind a front, clients are told to come there, and brokers talk past it', () => {
  const place = { ...places[0]!, front: { port: 9501, internalPort: 9201 } };
  const found = read(brokerProperties(place, [place], { 'transactional.id.expiration.ms': 9 }));
  expect(found).toMatchObject({
    listeners: 'PLAINTEXT://127.0.0.1:9001,INTERNAL://127.0.0.1:9201,CONTROLLER://127.0.0.1:9101',
    'advertised.listeners': 'PLAINTEXT://127.0.0.1:9501,INTERNAL://127.0.0.1:9201',
    'inter.broker.listener.name': 'INTERNAL',
    'transactional.id.expiration.ms': '9',
  });
});

test('the cluster id is 16 bytes', () => {
  expect(Buffer.from(CLUSTER_ID, 'base64url').length).toBe(16);
});
