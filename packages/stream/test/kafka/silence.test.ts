import { describe, expect, test } from '@jest/globals';
import { type TurnedClock, turnedClock } from '@millrace/telemetry';
import type { Cluster, ConnectionPool, Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { CLIENT_CLOSED, heed, Silence, SilentNodeError } from '../../src/kafka/silence.ts';

const timeout = (): Error => Object.assign(new Error('no answer'), { name: 'KafkaJSRequestTimeoutError' });
const fails = (of: Error) => async (): Promise<never> => {
  throw of;
};
const answers = (): Promise<string> => Promise.resolve('answer');

/** A silent node, asked by trials that end as told. */
const silentNode = async () => {
  const clock = turnedClock();
  const silence = new Silence(clock);
  const never = fails(new Error('nobody is to be tried'));
  await expect(silence.ask('a:1', fails(timeout()), never)).rejects.toThrow('no answer');
  let count = 0;
  /** Whether a request for it is sent, where a trial would end so. */
  const isAsked = async (trial: () => Promise<unknown> = never): Promise<boolean> => {
    const counted = (): Promise<unknown> => {
      count++;
      return trial();
    };
    try {
      return (await silence.ask('a:1', answers, counted)) === 'answer';
    } catch (error) {
      expect(error).toBeInstanceOf(SilentNodeError);
      await clock.turn(0);
      return false;
    }
  };
  return { clock, silence, isAsked, trials: () => count };
};

describe('a node that did not answer', () => {
  test('is left alone, and asked again once a trial was answered; there is one trial at a time', async () => {
    const { clock, silence, isAsked, trials } = await silentNode();
    expect(await isAsked()).toBe(false);
    expect(await silence.ask('b:1', answers, fails(timeout()))).toBe('answer');
    await clock.turn(999);
    expect([await isAsked(), trials()]).toEqual([false, 0]);
    await clock.turn(1);
    const slow = Promise.withResolvers<void>();
    expect([await isAsked(() => slow.promise), trials()]).toEqual([false, 1]);
    await clock.turn(60_000);
    expect([await isAsked(answers), trials()]).toEqual([false, 1]);
    slow.resolve();
    await clock.turn(0);
    expect([await isAsked(), trials()]).toEqual([true, 1]);
  });

  test.each([
    ['is not answered either', timeout()],
    ['ends with its connection', Object.assign(new Error('late'), { name: 'KafkaJSConnectionClosedError' })],
    ['ends with its client', new Error(`Connection error: ${CLIENT_CLOSED}`)],
  ])('is silent for another second where a trial %s', async (_, error) => {
    const { clock, isAsked, trials } = await silentNode();
    await clock.turn(1_000);
    expect(await isAsked(fails(error))).toBe(false);
    await clock.turn(999);
    expect([await isAsked(answers), trials()]).toEqual([false, 1]);
    await clock.turn(1);
    expect([await isAsked(answers), trials(), await isAsked()]).toEqual([false, 2, true]);
  });

  test('is tried also when the clock has stepped back meanwhile', async () => {
    const times = [3_600_000, 0];
    const silence = new Silence({ ...turnedClock(), now: () => times.shift() ?? 0 });
    await silence.ask('a:1', fails(timeout()), answers).catch(() => undefined);
    await expect(silence.ask('a:1', answers, answers)).rejects.toThrow(SilentNodeError);
    expect(await silence.ask('a:1', answers, answers)).toBe('answer');
  });

  test('and is gone meanwhile, or refuses, does not hang', async () => {
    for (const error of [
      Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' }),
      Object.assign(new Error('UNSUPPORTED_VERSION'), { name: 'KafkaJSProtocolError' }),
    ]) {
      const { clock, isAsked } = await silentNode();
      await clock.turn(1_000);
      expect([await isAsked(fails(error)), await isAsked()]).toEqual([false, true]);
    }
  });

  test('answers once something is answered that was under way before', async () => {
    const silence = new Silence(turnedClock());
    const slow = Promise.withResolvers<string>();
    const early = silence.ask('a:1', () => slow.promise, answers);
    await silence.ask('a:1', fails(timeout()), answers).catch(() => undefined);
    await expect(silence.ask('a:1', answers, answers)).rejects.toThrow(SilentNodeError);
    slow.resolve('at last');
    expect([await early, await silence.ask('a:1', answers, answers)]).toEqual(['at last', 'answer']);
  });

  test.each([
    ['refuses', Object.assign(new Error('NOT_LEADER'), { name: 'KafkaJSProtocolError' })],
    ['is gone', Object.assign(new Error('connect ECONNREFUSED'), { name: 'KafkaJSConnectionError' })],
  ])('one that %s does not hang', async (_, error) => {
    const silence = new Silence(turnedClock());
    await silence.ask('a:1', fails(error), answers).catch(() => undefined);
    expect(await silence.ask('a:1', answers, answers)).toBe('answer');
  });
});

/** A pool of nodes as kafkajs keeps it; those that hang answer nothing. */
const clusterWith = (clock: TurnedClock, hanging: ReadonlySet<number>) => {
  const asked: number[] = [];
  const keys: number[] = [];
  const poolOf = (port: number): ConnectionPool => ({
    host: 'h',
    port,
    pool: [],
    send: async ({ request: { apiKey } }) => {
      asked.push(port);
      keys.push(apiKey);
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
  return { cluster, asked, keys, join };
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

  test('tries a silent node by asking which versions it speaks, and by nothing of anybody', async () => {
    const clock = turnedClock();
    const hanging = new Set([1]);
    const { cluster, keys, join } = clusterWith(clock, hanging);
    await join(1);
    const { send } = cluster.brokerPool.brokers[1]!.connectionPool;
    const endTransaction = request(26);
    await expect(send(endTransaction)).rejects.toThrow('no answer');
    hanging.clear();
    await clock.turn(1_000);
    await expect(send(endTransaction)).rejects.toThrow(SilentNodeError);
    await clock.turn(0);
    expect([await send(endTransaction), keys]).toEqual([1, [26, 18, 26]]);
  });

  test('whose every node is silent goes the usual way', async () => {
    const { cluster, join } = clusterWith(turnedClock(), new Set([1]));
    await join(1);
    await cluster.brokerPool.brokers[1]!.connectionPool.send(METADATA).catch(() => undefined);
    await expect(cluster.brokerPool.findConnectedBroker()).rejects.toThrow('no other way');
    expect((await cluster.brokerPool.connectionPoolBuilder.build()).host).toBe('h');
  });
});
