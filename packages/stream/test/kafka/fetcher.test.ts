import { expect, test } from '@jest/globals';
import { noLogger, systemClock } from '@millrace/telemetry';
import { Fetcher, type FetchLane } from '../../src/kafka/fetcher.ts';
import type { Cluster, Node } from '../../src/kafka/internals.ts';
import { eventually } from '../broker/harness.ts';

type Fetch = Node['fetch'];

const laneOf = (partition: number): FetchLane => {
  return { topic: 't', partition, position: 0, paused: false, moves: 0, until: Infinity };
};

/** One more empty batch at each fetch: the position moves by ten. */
const answering: Fetch = async ({ topics }) => {
  await new Promise(resolve => setImmediate(resolve));
  return {
    responses: topics.map(({ topic, partitions }) => ({
      topicName: topic,
      partitions: partitions.map(({ partition, fetchOffset }) => ({
        partition,
        highWatermark: '1000000',
        lastStableOffset: '1000000',
        abortedTransactions: [],
        messages: Object.assign([], { lastBatchOffset: String(Number(fetchOffset) + 9) }),
      })),
    })),
  };
};

const fetching = (
  lanes: readonly FetchLane[],
  nodes: Readonly<Record<number, Fetch>>,
  leader: (partition: number) => number,
  refresh: () => Promise<void>,
): Fetcher => {
  const cluster = {
    refreshMetadata: refresh,
    refreshMetadataIfNecessary: () => Promise.resolve(),
    findBroker: ({ nodeId }: { nodeId: number }) => Promise.resolve({ nodeId, fetch: nodes[nodeId] }),
    findTopicPartitionMetadata: () =>
      lanes.map(({ partition }) => ({ partitionId: partition, leader: leader(partition) })),
  } as unknown as Cluster;
  return new Fetcher(cluster, lanes, {
    bytes: 'stock',
    clock: systemClock,
    logger: noLogger,
    waitMsMax: 1,
    bytesPerPartitionMax: 1,
    bytesMax: 1,
    fetched: () => undefined,
    caughtUp: () => undefined,
  });
};

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const timeout = (): Promise<never> =>
  Promise.reject(Object.assign(new Error('no answer'), { name: 'KafkaJSRequestTimeoutError' }));

test.each([
  ['hangs', never as Fetch],
  ['times out, while nobody can say who leads now', timeout as Fetch],
])('a node that %s holds up no other', async (_, hanging) => {
  const lanes = [laneOf(0), laneOf(1)];
  const fetcher = fetching(lanes, { 0: hanging, 1: answering }, partition => partition, never);
  void fetcher.start();
  await eventually('the other to be fetched from again and again', () => lanes[1]!.position > 500);
  fetcher.stop();
  expect(lanes[0]!.position).toBe(0);
});

test('a late answer of the leader before does not take the position back', async () => {
  const lanes = [laneOf(0), laneOf(1)];
  const late = Promise.withResolvers<void>();
  let leader = 0;
  const slow: Fetch = async request => {
    await late.promise;
    return answering(request);
  };
  const fetcher = fetching(
    lanes,
    { 0: slow, 1: answering },
    partition => (partition === 0 ? leader : 1),
    never,
  );
  void fetcher.start();
  leader = 1;
  await eventually('the new leader to be fetched from', () => lanes[0]!.position > 100);
  const positions: number[] = [];
  const watch = { ...lanes[0]! };
  Object.defineProperty(lanes[0]!, 'position', {
    get: () => watch.position,
    set: (to: number) => {
      positions.push(to);
      watch.position = to;
    },
  });
  late.resolve();
  await eventually('it to go on', () => positions.length > 100);
  fetcher.stop();
  expect(positions).toEqual(positions.toSorted((a, b) => a - b));
});
