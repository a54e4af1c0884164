import { describe, expect, test } from '@jest/globals';
import { noLogger, systemClock } from '@millrace/telemetry';
import type { OutRecord } from '../../src/broker/port.ts';
import { BATCH_BYTES_MAX, batchesOf, REQUEST_BYTES_MAX } from '../../src/kafka/batches.ts';
import type { KafkaBytes, KafkaOptions } from '../../src/kafka/connect.ts';
import type { Cluster, Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { PartitionLanes, type Sender, sendRounds } from '../../src/kafka/send.ts';
import { answerProduced, type Produced, readProduced } from './produced.ts';

const OPTIONS: KafkaOptions = {
  bootstrapServers: 'nowhere:1',
  clientId: 'test',
  logger: noLogger,
  clock: { ...systemClock, sleep: () => Promise.resolve() },
};

type Produce = Parameters<Node['produce']>[0];
/** What a leader does to one request: partitions that it refuses with an error's name, and whether its answer is lost. */
interface Mood {
  readonly refuse?: Readonly<Record<number, string>>;
  readonly answerLost?: boolean;
}

const refusal = (type: string, retriable: boolean): Error =>
  Object.assign(new Error(type), { type, retriable });
const lost = (): Error => Object.assign(new Error('no answer'), { name: 'KafkaJSRequestTimeoutError' });

/**
 * Leaders with a log per partition that take a batch at the next sequence number, know the last batch again, and refuse
 * any other: Kafka's rules for idempotent producers. Partition p is led by node `leader(p)`.
 */
const fakeCluster = (
  moods: readonly Mood[],
  leader: (partition: number, refreshes: number) => number,
  partitions = 4,
) => {
  const logs = new Map<number, string[]>();
  const last = new Map<number, number>();
  const requests: { node: number; batches: readonly { partition: number; firstSequence: number }[] }[] = [];
  let refreshes = 0;

  const take = (partition: number, firstSequence: number, values: readonly string[]): string | undefined => {
    const log = logs.get(partition) ?? [];
    logs.set(partition, log);
    if (last.get(partition) === firstSequence) return undefined;
    if (firstSequence !== log.length) return 'OUT_OF_ORDER_SEQUENCE_NUMBER';
    last.set(partition, firstSequence);
    log.push(...values.map(value => value.slice(0, 4)));
    return undefined;
  };
  const produce = (nodeId: number, batches: readonly Produced[]): readonly (string | undefined)[] => {
    const { refuse = {}, answerLost = false } = moods[requests.length] ?? {};
    requests.push({ node: nodeId, batches });
    const errors = batches.map(({ partition, firstSequence, values }) => {
      if (leader(partition, refreshes) !== nodeId) return 'NOT_LEADER_FOR_PARTITION';
      return refuse[partition] ?? take(partition, firstSequence, values);
    });
    if (answerLost) throw lost();
    return errors;
  };
  const node = (nodeId: number) => ({
    produce: async ({ topicData }: Produce): Promise<void> => {
      const batches = topicData
        .flatMap(({ partitions }) => partitions)
        .map(({ messages, ...of }) => ({ ...of, values: messages.map(({ value }) => value!.toString()) }));
      const first = produce(nodeId, batches).find(error => error !== undefined);
      if (first !== undefined)
        throw refusal(first, first.startsWith('NOT_') || first === 'REQUEST_TIMED_OUT');
    },
    connectionPool: {
      send: async (request: ProtocolRequest): Promise<void> =>
        answerProduced(request, produce(nodeId, await readProduced(request))),
    },
  });
  let seen = 0;
  const cluster = {
    findBroker: async ({ nodeId }: { nodeId: number }) => node(nodeId),
    findTopicPartitionMetadata: () =>
      Array.from({ length: partitions }, (_, partitionId) => ({
        partitionId,
        leader: leader(partitionId, seen),
      })),
    refreshMetadata: async () => {
      seen = ++refreshes;
    },
  } as unknown as Cluster;
  return { cluster, logs, requests };
};

const record = (partition: number, value: string): OutRecord => ({
  topic: 't',
  partition,
  key: null,
  value: Buffer.from(value),
  headers: [],
});
const newSender = (): Sender => ({ producerId: '1', producerEpoch: 0, sequences: new Map() });
const byParity = (partition: number): number => partition % 2;
const FOUR = [0, 1, 2, 3].map(partition => record(partition, `a${partition}`));

describe.each<KafkaBytes>(['own', 'stock'])('in bytes of %s', written => {
  const options: KafkaOptions = { ...OPTIONS, bytes: written };

  test('one request a leader carries all partitions', async () => {
    const { cluster, logs, requests } = fakeCluster([], byParity);
    await sendRounds(cluster, newSender(), batchesOf(FOUR), options, false);
    expect(requests.map(({ node, batches }) => [node, batches.map(({ partition }) => partition)])).toEqual([
      [0, [0, 2]],
      [1, [1, 3]],
    ]);
    expect([...logs.values()].flat().sort()).toEqual(['a0', 'a1', 'a2', 'a3']);
  });

  test('a refusal of one partition repeats all with their numbers: none is lost, none doubled', async () => {
    const moods = [{ refuse: { 2: 'NOT_ENOUGH_REPLICAS' } }, {}, { refuse: { 0: 'REQUEST_TIMED_OUT' } }];
    const { cluster, logs } = fakeCluster(moods, byParity);
    const sender = newSender();
    await sendRounds(cluster, sender, batchesOf(FOUR), options, false);
    await sendRounds(cluster, sender, batchesOf([record(0, 'b0'), record(2, 'b2')]), options, false);
    expect(Object.fromEntries(logs)).toEqual({ 0: ['a0', 'b0'], 1: ['a1'], 2: ['a2', 'b2'], 3: ['a3'] });
  });

  test('a leader that moved gets the batches of its partitions only', async () => {
    const moods = [{ refuse: { 2: 'NOT_LEADER_FOR_PARTITION' } }];
    const { cluster, logs, requests } = fakeCluster(moods, (p, refreshes) =>
      p === 2 && refreshes > 0 ? 1 : p % 2,
    );
    await sendRounds(cluster, newSender(), batchesOf(FOUR), options, false);
    expect(requests.slice(2).map(({ batches }) => batches.map(({ partition }) => partition))).toEqual([
      [0],
      [1, 2, 3],
    ]);
    expect(Object.fromEntries(logs)).toEqual({ 0: ['a0'], 1: ['a1'], 2: ['a2'], 3: ['a3'] });
  });

  test('a lost answer is tried again outside transactions, under the same numbers', async () => {
    const { cluster, logs } = fakeCluster([{ answerLost: true }], byParity);
    await sendRounds(cluster, newSender(), batchesOf(FOUR), options, true);
    expect([...logs.values()].flat().sort()).toEqual(['a0', 'a1', 'a2', 'a3']);
  });

  test.each([
    ['alone', [{ answerLost: true }]],
    ['beside a refusal by another leader', [{ refuse: { 0: 'NOT_ENOUGH_REPLICAS' } }, { answerLost: true }]],
  ])('a lost answer within a transaction, %s, ends the send at once', async (_, moods) => {
    const { cluster, requests } = fakeCluster(moods, byParity);
    const sender = newSender();
    await expect(sendRounds(cluster, sender, batchesOf(FOUR), options, false)).rejects.toThrow('no answer');
    expect(requests).toHaveLength(2);
    expect([...sender.sequences]).toEqual([]);
  });

  test('a refusal for good ends the send, also where another partition of the request was refused for now', async () => {
    const moods = [{ refuse: { 0: 'NOT_ENOUGH_REPLICAS', 2: 'INVALID_PRODUCER_EPOCH' } }];
    const always = Array.from({ length: 9 }, () => ({ refuse: { 2: 'INVALID_PRODUCER_EPOCH' } }));
    const { cluster } = fakeCluster([...moods, ...always], () => 0);
    await expect(sendRounds(cluster, newSender(), batchesOf(FOUR), options, false)).rejects.toMatchObject({
      type: 'INVALID_PRODUCER_EPOCH',
    });
  });

  test('batches of a partition go one after the other, each with the number after the last', async () => {
    const large = (i: number): OutRecord => record(1, `v${i}`.padEnd(BATCH_BYTES_MAX / 2));
    const { cluster, requests } = fakeCluster([], byParity);
    await sendRounds(
      cluster,
      newSender(),
      batchesOf([large(0), large(1), large(2), FOUR[0]!]),
      options,
      false,
    );
    const numbers = requests.flatMap(({ batches }) =>
      batches.filter(({ partition }) => partition === 1).map(({ firstSequence }) => firstSequence),
    );
    expect(numbers).toEqual([0, 1, 2]);
    expect(requests).toHaveLength(4);
  });
});

test('what would pass the limit of a request is sent in several, each partition once', async () => {
  const cluster = fakeCluster([], () => 0, 40);
  const full = Array.from({ length: 40 }, (_, partition) =>
    record(partition, 'v'.padEnd(BATCH_BYTES_MAX - 100)),
  );
  await sendRounds(cluster.cluster, newSender(), batchesOf(full), OPTIONS, false);
  const { requests, logs } = cluster;
  for (const { batches } of requests)
    expect(batches.length * BATCH_BYTES_MAX).toBeLessThanOrEqual(REQUEST_BYTES_MAX);
  expect([...logs.values()].map(log => log.length)).toEqual(full.map(() => 1));
});

test('calls that share a partition wait for each other, in order, also after a failure', async () => {
  const lanes = new PartitionLanes();
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const at = (partition: number) => ({ topic: 't', partition });
  const first = lanes.run([at(0), at(1)], async () => {
    await gate.promise;
    order.push('first');
    throw new Error('refused');
  });
  const second = lanes.run([at(1), at(2)], async () => void order.push('second'));
  await lanes.run([at(3)], async () => void order.push('apart'));
  gate.resolve();
  await expect(first).rejects.toThrow('refused');
  await second;
  expect(order).toEqual(['apart', 'first', 'second']);
});

test.each([1, 3])(
  'of many calls over %i partitions one batch of each is on the wire, and the rest wait',
  async partitions => {
    const { cluster, requests } = fakeCluster([], partition => partition, partitions);
    // Connections on which nothing is answered before it is told to.
    const onTheWire: (() => void)[] = [];
    const findBroker = async (of: { nodeId: string }): Promise<unknown> => {
      const { connectionPool: pool } = await cluster.findBroker(of);
      const send = async (request: ProtocolRequest): Promise<unknown> => {
        await new Promise<void>(resolve => onTheWire.push(resolve));
        return pool.send(request);
      };
      return { connectionPool: { send } };
    };
    const slow = { ...cluster, findBroker } as unknown as Cluster;
    const [lanes, sender] = [new PartitionLanes(), newSender()];
    const sends = Array.from({ length: 12 }, (_, i) => {
      const batches = batchesOf([record(i % partitions, `r${i}`)]);
      return lanes.run(batches, () => sendRounds(slow, sender, batches, OPTIONS, false));
    });
    for (let answered = 0; answered < sends.length; answered += partitions) {
      await new Promise(resolve => setImmediate(resolve));
      expect([onTheWire.length, requests.length]).toEqual([partitions, answered]);
      for (const answer of onTheWire.splice(0)) answer();
    }
    await Promise.all(sends);
    expect(requests.flatMap(({ batches }) => batches)).toHaveLength(sends.length);
  },
);
