import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decodeFetched, encodeFetch, fetch } from '../../src/kafka/fetch.ts';
import type { Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { loadSource, record, recordBatch } from './patch/load.ts';

const stockRequest = loadSource('kafkajs/src/protocol/requests/fetch/v11/request') as (of: object) => {
  encode(): Promise<{ readonly buffer: Buffer }>;
};
interface StockPartition {
  readonly partition: number;
  readonly errorCode: number;
  readonly lastStableOffset: string;
  readonly abortedTransactions: readonly { readonly producerId: string; readonly firstOffset: string }[];
  readonly messages: readonly { readonly value: Buffer }[];
}
const stockResponse = loadSource('kafkajs/src/protocol/requests/fetch/v11/response') as {
  decode(raw: Buffer): Promise<{
    readonly clientSideThrottleTime: number;
    readonly responses: readonly {
      readonly topicName: string;
      readonly partitions: readonly StockPartition[];
    }[];
  }>;
};

const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 });
const partitions = fc.array(
  fc.record({ partition: fc.nat(999), position: fc.maxSafeNat(), bytesMax: fc.nat(2 ** 31 - 1) }),
  { maxLength: 4 },
);

test('a request is, byte for byte, what kafkajs makes of it', async () => {
  const asked = fc.record({
    waitMsMax: fc.nat(60_000),
    bytesMin: fc.nat(1_000_000),
    bytesMax: fc.nat(2 ** 31 - 1),
    isolationLevel: fc.nat(1),
    topics: fc.array(fc.record({ topic: name, partitions }), { maxLength: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(asked, async request => {
      const { waitMsMax, bytesMin, bytesMax, isolationLevel, topics } = request;
      const stock = stockRequest({
        replicaId: -1,
        maxWaitTime: waitMsMax,
        minBytes: bytesMin,
        maxBytes: bytesMax,
        isolationLevel,
        topics: topics.map(({ topic, partitions: of }) => ({
          topic,
          partitions: of.map(one => ({
            partition: one.partition,
            fetchOffset: String(one.position),
            maxBytes: one.bytesMax,
          })),
        })),
      });
      expect(encodeFetch(request).equals((await stock.encode()).buffer)).toBe(true);
    }),
  );
});

interface Answered {
  readonly partition: number;
  readonly code: number;
  readonly stable: number;
  readonly aborted: readonly (readonly [number, number])[];
  readonly values: readonly string[];
}

const int = (bytes: 2 | 4 | 8, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigInt64BE(BigInt(value));
  else buffer.writeIntBE(value, 0, bytes);
  return buffer;
};
const list = (parts: readonly Buffer[]): Buffer => Buffer.concat([int(4, parts.length), ...parts]);

const partitionBytes = ({ partition, code, stable, aborted, values }: Answered): Buffer => {
  const records = values.map((value, i) => record(i, value));
  const batches = values.length === 0 ? Buffer.alloc(0) : recordBatch(0, values.length - 1, records);
  return Buffer.concat([
    int(4, partition),
    int(2, code),
    int(8, stable + 3), // High watermark.
    int(8, stable),
    int(8, 0),
    list(aborted.map(([producer, first]) => Buffer.concat([int(8, producer), int(8, first)]))),
    int(4, -1),
    int(4, batches.length),
    batches,
  ]);
};
const answerBytes = (
  throttleMs: number,
  topics: readonly (readonly [string, readonly Answered[]])[],
): Buffer =>
  Buffer.concat([
    int(4, throttleMs),
    int(2, 0),
    int(4, 0),
    list(
      topics.map(([topic, of]) =>
        Buffer.concat([int(2, Buffer.byteLength(topic)), Buffer.from(topic), list(of.map(partitionBytes))]),
      ),
    ),
  ]);

const answered = fc.record({
  partition: fc.nat(999),
  code: fc.constant(0),
  stable: fc.nat(2 ** 40),
  aborted: fc.array(fc.tuple(fc.nat(2 ** 40), fc.nat(2 ** 40)), { maxLength: 3 }),
  values: fc.array(fc.string({ maxLength: 5 }), { maxLength: 5 }),
});

test('kafkajs sees the same in an answer', async () => {
  const topics = fc.array(fc.tuple(name, fc.array(answered, { maxLength: 3 })), { maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.nat(1_000), topics, async (throttleMs, of) => {
      const raw = answerBytes(throttleMs, of);
      const stock = await stockResponse.decode(raw);
      const own = decodeFetched(raw);
      expect(own.clientSideThrottleTime).toBe(stock.clientSideThrottleTime);
      expect(own.refusals).toEqual([]);
      expect(
        own.partitions.map(({ topic, partition, lastStableOffset, aborted, bytes }) => [topic, partition, lastStableOffset, aborted.map(one => [Number(one.producerId), one.firstOffset]), bytes.length > 0]),
      ).toEqual(
        stock.responses.flatMap(({ topicName, partitions: all }) =>
          all.map(one => [topicName, one.partition, Number(one.lastStableOffset), one.abortedTransactions.map(a => [Number(a.producerId), Number(a.firstOffset)]), one.messages.length > 0]),
        ),
      );
    }),
  ); // prettier-ignore
});

/** A node that answers so. */
const nodeWith = (of: readonly Answered[]): Node =>
  ({
    connectionPool: {
      send: async ({ response }: ProtocolRequest) =>
        response.parse(await response.decode(answerBytes(0, [['t', of]]))),
    },
  }) as unknown as Node;
const NOTHING = { waitMsMax: 1, bytesMin: 1, bytesMax: 1, isolationLevel: 1, topics: [] };
const refused = (partition: number, code: number): Answered => ({ partition, code, stable: -1, aborted: [], values: [] }); // prettier-ignore
const OUT_OF_RANGE = 1;
const NOT_LEADER = 6;

test('an offset out of range says where, also behind a refusal that passes', async () => {
  const node = nodeWith([refused(0, NOT_LEADER), refused(3, OUT_OF_RANGE)]);
  await expect(fetch(node, NOTHING)).rejects.toMatchObject({
    type: 'OFFSET_OUT_OF_RANGE',
    topic: 't',
    partition: 3,
  });
});

test('a refusal that passes is one that may be tried again', async () => {
  await expect(fetch(nodeWith([refused(0, NOT_LEADER)]), NOTHING)).rejects.toMatchObject({
    type: 'NOT_LEADER_FOR_PARTITION',
    retriable: true,
  });
});

test('an answer that ends too early is an error, wherever it ends', () => {
  const whole = answerBytes(0, [
    ['t', [{ partition: 0, code: 0, stable: 1, aborted: [[1, 1]], values: ['v'] }]],
  ]);
  for (let bytes = 0; bytes < whole.length; bytes++)
    expect(() => decodeFetched(whole.subarray(0, bytes))).toThrow('the answer ends too early');
});

test('a length below zero is an error, and not a step back', () => {
  const raw = Buffer.alloc(64);
  raw.writeInt32BE(2 ** 31 - 1, 10);
  // The name of the topic, and the count of partitions behind it, end where they began.
  raw.writeInt16BE(-6, 14);
  expect(() => decodeFetched(raw)).toThrow(new RangeError('a length of -6'));
});
