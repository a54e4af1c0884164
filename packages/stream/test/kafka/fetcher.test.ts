import { describe, expect, test } from '@jest/globals';
import { noLogger, systemClock, turnedClock } from '@millrace/telemetry';
import type { KafkaBytes } from '../../src/kafka/connect.ts';
import { Fetcher, type FetchLane, type FetchOptions } from '../../src/kafka/fetcher.ts';
import type { Cluster, Node, ProtocolRequest } from '../../src/kafka/internals.ts';
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
  more: Partial<FetchOptions> & { readonly send?: Node['connectionPool']['send'] } = {},
): Fetcher => {
  const cluster = {
    refreshMetadata: refresh,
    refreshMetadataIfNecessary: () => Promise.resolve(),
    findBroker: ({ nodeId }: { nodeId: number }) =>
      Promise.resolve({ nodeId, fetch: nodes[nodeId], connectionPool: { send: more.send } }),
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
    ...more,
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

describe('of one answer with much of several partitions', () => {
  const PARTITIONS = 4;
  const messagesOf = (count: number, bytes: number): readonly object[] => {
    const value = Buffer.alloc(bytes);
    return Array.from({ length: count }, (_, i) => {
      return { offset: String(i), timestamp: '0', key: null, value, headerList: [], isControlRecord: false };
    });
  };
  /** @returns in which turn of the event loop each partition was taken */
  const turnsFor = async (count: number, bytes: number): Promise<readonly number[]> => {
    const messages = Object.assign(messagesOf(count, bytes), { lastBatchOffset: String(count - 1) });
    const end = { highWatermark: '1000000', lastStableOffset: '1000000', abortedTransactions: [] };
    let fetches = 0;
    const fetch = (async ({ topics }) => {
      if (fetches++ > 0) return never();
      return {
        responses: topics.map(({ topic, partitions }) => {
          return { topicName: topic, partitions: partitions.map(({ partition }) => ({ partition, ...end, messages })) };
        }),
      };
    }) as Fetch; // prettier-ignore
    let turn = 0;
    let isOver = false;
    const next = (): void => {
      turn++;
      if (!isOver) setImmediate(next);
    };
    setImmediate(next);
    const turns: number[] = [];
    const fetched = (): void => void turns.push(turn);
    const lanes = Array.from({ length: PARTITIONS }, (_, partition) => laneOf(partition));
    const fetcher = fetching(lanes, { 0: fetch }, () => 0, never, { fetched });
    void fetcher.start();
    await eventually('all partitions to be taken', () => turns.length === PARTITIONS && fetches === 2);
    fetcher.stop();
    isOver = true;
    return turns;
  };

  test.each([
    ['bytes', 1, 1_048_576],
    ['records', 10_000, 1],
  ])('others have their turn between two partitions of many %s', async (_, count, bytes) => {
    expect(new Set(await turnsFor(count, bytes)).size).toBe(PARTITIONS);
  });

  test('none is given away for little', async () => {
    expect(new Set(await turnsFor(1, 100)).size).toBe(1);
  });
});

describe('between two fetches', () => {
  const LINGER_MS = 4;
  /** A node that answers each fetch with one record of the size, or none. */
  const rig = (sizes: readonly number[]) => {
    const clock = turnedClock(1_000);
    const fetches: number[] = [];
    const lane = laneOf(0);
    const fetch: Fetch = async ({ topics }) => {
      const size = sizes[fetches.length];
      fetches.push(clock.now());
      if (size === undefined) return never();
      const { topic, partitions } = topics[0]!;
      const offset = partitions[0]!.fetchOffset;
      const value = Buffer.alloc(size);
      const message = { offset, timestamp: '0', key: null, value, headerList: [], isControlRecord: false };
      const messages = Object.assign(size === 0 ? [] : [message], {
        lastBatchOffset: size === 0 ? null : offset,
      });
      const end = { highWatermark: '100', lastStableOffset: '100', abortedTransactions: [] };
      return {
        responses: [{ topicName: topic, partitions: [{ partition: 0, ...end, messages }] }],
      };
    };
    const fetcher = fetching([lane], { 0: fetch }, () => 0, never, { clock, lingerMs: LINGER_MS });
    const ended = fetcher.start();
    return { clock, fetches, fetcher, ended };
  };

  test('it lingers where the first brought little, and only there', async () => {
    const { clock, fetches, fetcher, ended } = rig([10, 100_000, 0, 10]);
    await clock.turn(0);
    expect(fetches).toEqual([1_000]);
    await clock.turn(LINGER_MS - 1);
    expect(fetches).toEqual([1_000]);
    await clock.turn(1);
    // What brings much, or nothing after a wait of the broker's, is followed at once.
    await clock.turn(0);
    expect(fetches).toEqual([1_000, 1_004, 1_004, 1_004]);
    await clock.turn(LINGER_MS);
    expect(fetches).toEqual([1_000, 1_004, 1_004, 1_004, 1_008]);
    fetcher.stop();
    await ended;
  });

  test('it stops at once while it lingers', async () => {
    const { clock, fetches, fetcher, ended } = rig([10, 10]);
    await clock.turn(0);
    fetcher.stop();
    await ended;
    await clock.turn(100);
    expect(fetches).toEqual([1_000]);
  });
});

describe('a minimum of bytes', () => {
  const [RECORD_BYTES, WAIT_MS_MAX, LINGER_MS] = [100, 50, 4];
  /** A node with one partition, where records arrive at the given times; it holds its answers back as a broker does. */
  const rig = (bytesMin: number, arrivals: readonly number[]) => {
    const clock = turnedClock();
    const taken: (readonly [atMs: number, records: number])[] = [];
    const value = Buffer.alloc(RECORD_BYTES);
    const fetch: Fetch = async ({ topics, minBytes, maxWaitTime }) => {
      const from = Number(topics[0]!.partitions[0]!.fetchOffset);
      const untilMs = clock.now() + maxWaitTime;
      const there = (): number => arrivals.filter(atMs => atMs <= clock.now()).length - from;
      while (there() * RECORD_BYTES < minBytes && clock.now() < untilMs) await clock.sleep(1);
      const one = { timestamp: '0', key: null, value, headerList: [], isControlRecord: false };
      const found = Array.from({ length: there() }, (_, i) => ({ ...one, offset: String(from + i) }));
      const end = { highWatermark: '100', lastStableOffset: '100', abortedTransactions: [] };
      const messages = Object.assign(found, { lastBatchOffset: found.at(-1)?.offset ?? null });
      return { responses: [{ topicName: 't', partitions: [{ partition: 0, ...end, messages }] }] };
    };
    const fetched: FetchOptions['fetched'] = (_, run) => void taken.push([clock.now(), run.length]);
    const more = { clock, bytesMin, waitMsMax: WAIT_MS_MAX, lingerMs: LINGER_MS, bytesPerPartitionMax: 1_000_000, fetched }; // prettier-ignore
    const fetcher = fetching([laneOf(0)], { 0: fetch }, () => 0, never, more);
    void fetcher.start();
    return { clock, taken, fetcher };
  };

  test('is waited for at the node, which then answers at once', async () => {
    const { clock, taken, fetcher } = rig(3 * RECORD_BYTES, [1, 2, 3, 8, 9, 10, 11]);
    await clock.turn(20);
    // The last record waits for others.
    expect(taken).toEqual([
      [3, 3],
      [10, 3],
    ]);
    fetcher.stop();
  });

  test('is waited for no longer than the longest wait, and the linger before it', async () => {
    const { clock, taken, fetcher } = rig(1_000, [10, WAIT_MS_MAX + 1]);
    await clock.turn(3 * WAIT_MS_MAX);
    expect(taken).toEqual([
      [WAIT_MS_MAX, 1],
      [WAIT_MS_MAX + LINGER_MS + WAIT_MS_MAX, 1],
    ]);
    fetcher.stop();
  });

  test('of one byte waits for nothing but a record', async () => {
    const { clock, taken, fetcher } = rig(1, [10]);
    await clock.turn(WAIT_MS_MAX);
    expect(taken).toEqual([[10, 1]]);
    fetcher.stop();
  });

  /** Bytes that a request asks for at least, where it is written by whose code. */
  const askedFor = async (bytes: KafkaBytes, more: Partial<FetchOptions>): Promise<number> => {
    const asked = Promise.withResolvers<number>();
    const fetch: Fetch = ({ minBytes }) => {
      asked.resolve(minBytes);
      return never();
    };
    const send = async ({ request }: ProtocolRequest): Promise<unknown> => {
      // Behind the id of a replica and the longest wait.
      asked.resolve((await request.encode()).buffer.readInt32BE(8));
      return never();
    };
    const fetcher = fetching([laneOf(0)], { 0: fetch }, () => 0, never, { bytes, send, ...more });
    void fetcher.start();
    return asked.promise.finally(() => fetcher.stop());
  };

  test.each<KafkaBytes>(['own', 'stock'])('is in the request, in bytes of %s', async bytes => {
    const bytesPerPartitionMax = 10_000;
    expect(await askedFor(bytes, { bytesPerPartitionMax })).toBe(1);
    expect(await askedFor(bytes, { bytesPerPartitionMax, bytesMin: 5_000 })).toBe(5_000);
    // A partition whose others are paused brings no more than its limit.
    expect(await askedFor(bytes, { bytesPerPartitionMax, bytesMin: 50_000 })).toBe(bytesPerPartitionMax);
  });
});
