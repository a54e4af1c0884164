import { expect, test } from '@jest/globals';
import type { OutRecord } from '../../src/broker/port.ts';
import type { Node, ProtocolRequest } from '../../src/kafka/internals.ts';
import { produce, type ProduceRequest } from '../../src/kafka/produce.ts';
import { recordBytesMax } from '../../src/kafka/records/encode.ts';
import { answerProduced } from './produced.ts';

const RECORD_BYTES = 100_000;

const requestOf = (fill: number): ProduceRequest => {
  const record: OutRecord = { topic: 't', partition: 0, key: null, value: Buffer.alloc(RECORD_BYTES, fill) };
  const partitions = [
    { partition: 0, firstSequence: 0, records: [record], bytesMax: recordBytesMax(record) },
  ];
  return {
    producerId: '1',
    producerEpoch: 0,
    timeoutMs: 1,
    timestampMs: 0,
    topics: [{ topic: 't', partitions }],
  };
};

/** A node that answers as it is told, and keeps what was sent, as a socket does whose peer reads slowly. */
const nodeOf = (answer: (request: ProtocolRequest) => Promise<void>) => {
  const sent: Buffer[] = [];
  const send = async (request: ProtocolRequest): Promise<void> => {
    sent.push((await request.request.encode()).buffer);
    await answer(request);
  };
  return { sent, node: { connectionPool: { send } } as unknown as Node };
};

test.each([
  ['has no answer', () => Promise.reject(new Error('no answer'))],
  ['was refused', (request: ProtocolRequest) => answerProduced(request, ['NOT_LEADER_FOR_PARTITION'])],
])('a request that %s is not written over: it may still be on its way', async (_, answer) => {
  const { sent, node } = nodeOf(answer);
  for (const fill of [1, 2, 3]) await expect(produce(node, requestOf(fill))).rejects.toThrow();
  for (const [i, buffer] of sent.entries())
    expect(buffer.subarray(-RECORD_BYTES / 2, -1).every(byte => byte === i + 1)).toBe(true);
  expect(new Set(sent.map(({ buffer }) => buffer)).size).toBe(3);
});

test('requests that are under way together each have memory of their own', async () => {
  const answers = [1, 2, 3].map(() => Promise.withResolvers<undefined>());
  let asked = 0;
  const { sent, node } = nodeOf(async request => {
    await answers[asked++]!.promise;
    await answerProduced(request, [undefined]);
  });
  const all = [1, 2, 3].map(fill => produce(node, requestOf(fill)));
  await Promise.resolve();
  expect(new Set(sent.map(({ buffer }) => buffer)).size).toBe(3);
  for (const { resolve } of answers) resolve(undefined);
  await Promise.all(all);
});

test('the memory of one that was answered is used again', async () => {
  const { sent, node } = nodeOf(request => answerProduced(request, [undefined]));
  for (const fill of [1, 2, 3]) await produce(node, requestOf(fill));
  expect(new Set(sent.map(({ buffer }) => buffer)).size).toBe(1);
});
