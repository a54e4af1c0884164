import { describe, expect, test } from '@jest/globals';
import { type TurnedClock, turnedClock } from '@millrace/telemetry';
import type { Cluster, ConnectionPool, Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { heed, Silence, SilentNodeError } from '../../src/kafka/silence.ts';

const timeout = (): Error => Object.assign(new Error('no answer'), { name: 'KafkaJSRequestTimeoutError' });
const fails = (of: Error) => async (): Promise<never> => {
  throw of;
};
const answers = (): Promise<string> => Promise.resolve('answer');

describe('a node that did not answer', () => {
  test('is left alone, then tried by one request in a second, and asked again once it has answered', async () => {
    const clock = turnedClock();
    const silence = new Silence(clock);
    await expect(silence.ask('a:1', fails(timeout()))).rejects.toThrow('no answer');
    await expect(silence.ask('a:1', answers)).rejects.toThrow(SilentNodeError);
    expect(await silence.ask('b:1', answers)).toBe('answer');
    await clock.turn(1_000);
    const slow = Promise.withResolvers<string>();
    const tried = silence.ask('a:1', () => slow.promise);
    await clock.turn(999);
    await expect(silence.ask('a:1', answers)).rejects.toThrow(SilentNodeError);
    slow.resolve('at last');
    expect(await tried).toBe('at last');
    expect(await silence.ask('a:1', answers)).toBe('answer');
  });

  test('is silent anew when the one that tries it waits in vain, too', async () => {
    const clock = turnedClock();
    const silence = new Silence(clock);
    await silence.ask('a:1', fails(timeout())).catch(() => undefined);
    await clock.turn(1_000);
    await silence.ask('a:1', fails(timeout())).catch(() => undefined);
    await expect(silence.ask('a:1', answers)).rejects.toThrow(SilentNodeError);
  });

  test.each([
    ['refuses', Object.assign(new Error('NOT_LEADER'), { name: 'KafkaJSProtocolError' })],
    ['is gone', Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' })],
  ])('one that %s does not hang', async (_, error) => {
    const silence = new Silence(turnedClock());
    await silence.ask('a:1', fails(error)).catch(() => undefined);
    expect(await silence.ask('a:1', answers)).toBe('answer');
  });
});

/** A pool of nodes as kafkajs keeps it; those that hang answer nothing. */
const clusterWith = (clock: TurnedClock, hanging: ReadonlySet<number>) => {
  const asked: number[] = [];
  const poolOf = (port: number): ConnectionPool => ({
    host: 'h',
    port,
    pool: [],
    send: async () => {
      asked.push(port);
      if (hanging.has(port)) throw timeout();
      return port;
    },
  });
  const brokers: Record<string, Node> = {};
  const brokerPool = {
    brokers,
    seedBroker: undefined,
    connectionPoolBuilder: {
      build: (at?: { port?: number }) => Promise.resolve(poolOf(at!.port!)),
    },
    findBroker: ({ nodeId }: { nodeId: string }) => Promise.resolve(brokers[nodeId]!),
    findConnectedBroker: () => Promise.reject(new Error('no other way')),
    withBroker: () => Promise.resolve(null),
  };
  const silence = new Silence(clock);
  const cluster = { brokerPool } as unknown as Cluster;
  heed(cluster, silence, ['h:1', 'h:2', 'h:3']);
  const join = async (port: number): Promise<void> => {
    const connectionPool = await cluster.brokerPool.connectionPoolBuilder.build({ host: 'h', port });
    brokers[port] = { nodeId: port, connectionPool, isConnected: () => true } as unknown as Node;
  };
  return { cluster, asked, join };
};
const request = (apiKey: number): ProtocolRequest => ({ request: { apiKey } }) as unknown as ProtocolRequest;
const METADATA = request(3);

describe('a cluster', () => {
  test('asks a node that answers for metadata and coordinators, once it knows which one hangs', async () => {
    const { cluster, join } = clusterWith(turnedClock(), new Set([1]));
    for (const port of [1, 2, 3]) await join(port);
    const { brokerPool } = cluster;
    await brokerPool.brokers[1]!.connectionPool.send(METADATA).catch(() => undefined);
    expect((await brokerPool.findConnectedBroker()).nodeId).not.toBe(1);
    const order: string[] = [];
    const found = await brokerPool.withBroker(async ({ nodeId }) => {
      order.push(nodeId);
      throw new Error('I do not know');
    });
    expect([found, order]).toEqual([null, ['2', '3', '1']]);
  });

  test('begins at an address that answers, and tells kafkajs to try the next when one does not', async () => {
    const { cluster } = clusterWith(turnedClock(), new Set([1]));
    const { connectionPoolBuilder } = cluster.brokerPool;
    const first = await connectionPoolBuilder.build();
    expect(first.port).toBe(1);
    await expect(first.send(request(18))).rejects.toMatchObject({ name: 'KafkaJSConnectionError' });
    const ports = [];
    for (let i = 0; i < 4; i++) ports.push((await connectionPoolBuilder.build()).port);
    expect(ports).not.toContain(1);
  });

  test('whose every node is silent goes the usual way', async () => {
    const { cluster, join } = clusterWith(turnedClock(), new Set([1]));
    await join(1);
    await cluster.brokerPool.brokers[1]!.connectionPool.send(METADATA).catch(() => undefined);
    await expect(cluster.brokerPool.findConnectedBroker()).rejects.toThrow('no other way');
    expect((await cluster.brokerPool.connectionPoolBuilder.build()).host).toBe('h');
  });
});
