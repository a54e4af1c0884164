import { Pieces } from '../broker/pieces.ts';
import type { OutRecord } from '../broker/port.ts';
import { isRefusedForNow } from './errors.ts';
import { createErrorFromCode, type Node, type ProtocolRequest } from './internals.ts';
import { Reader } from './reader.ts';
import { writeBatch } from './records/encode.ts';
import { RECORDS_AT } from './records/layout.ts';

/** Batches for one node: of each partition one. */
export interface ProduceRequest {
  readonly transactionalId?: string;
  readonly producerId: unknown;
  readonly producerEpoch: number;
  readonly timeoutMs: number;
  readonly timestampMs: number;
  readonly topics: readonly { readonly topic: string; readonly partitions: readonly ProducePartition[] }[];
}

export interface ProducePartition {
  readonly partition: number;
  readonly firstSequence: number;
  readonly records: readonly OutRecord[];
  readonly bytesMax: number;
}

const PRODUCE = 0;
/** The newest that Kafka 2.1 to 4.x take and that has no tagged fields. */
const PRODUCE_VERSION = 7;
const ALL_REPLICAS = -1;
const NULL_STRING_BYTES = 2;

const stringBytes = (text: string): number => 2 + Buffer.byteLength(text);
const writeString = (into: Buffer, to: number, text: string): number => {
  const start = into.writeInt16BE(Buffer.byteLength(text), to);
  return start + into.write(text, start, 'utf8');
};

const bytesMaxOf = ({ transactionalId, topics }: ProduceRequest): number => {
  let bytes = (transactionalId === undefined ? NULL_STRING_BYTES : stringBytes(transactionalId)) + 2 + 4 + 4;
  for (const { topic, partitions } of topics) {
    bytes += stringBytes(topic) + 4;
    for (const { bytesMax } of partitions) bytes += 4 + 4 + RECORDS_AT + bytesMax;
  }
  return bytes;
};

/** The body of a Produce request: its batches are written where they stand in it, nothing is gathered first. */
export const encodeProduce = (request: ProduceRequest, pieces: Pieces): Buffer => {
  const { transactionalId, producerEpoch, timeoutMs, timestampMs, topics } = request;
  const producerId = BigInt(String(request.producerId));
  const transactional = transactionalId !== undefined;
  const into = pieces.take(bytesMaxOf(request));
  let next = transactional ? writeString(into, 0, transactionalId) : into.writeInt16BE(-1, 0);
  next = into.writeInt16BE(ALL_REPLICAS, next);
  next = into.writeInt32BE(timeoutMs, next);
  next = into.writeInt32BE(topics.length, next);
  for (const { topic, partitions } of topics) {
    next = writeString(into, next, topic);
    next = into.writeInt32BE(partitions.length, next);
    for (const { partition, firstSequence: baseSequence, records } of partitions) {
      next = into.writeInt32BE(partition, next);
      const head = { producerId, producerEpoch, baseSequence, transactional, timestampMs };
      const end = writeBatch(into, next + 4, records, head);
      into.writeInt32BE(end - next - 4, next);
      next = end;
    }
  }
  return into.subarray(0, next);
};

interface Answer {
  /** Error codes of the partitions that were refused. */
  readonly refusals: readonly number[];
  /** Read by kafkajs: how long the broker wants to hear nothing of us. */
  readonly clientSideThrottleTime: number;
}

export const decodeProduced = (raw: Buffer): Answer => {
  const r = new Reader(raw);
  const refusals: number[] = [];
  for (let topics = r.int32(); topics > 0; topics--) {
    r.take(r.int16());
    for (let partitions = r.int32(); partitions > 0; partitions--) {
      r.int32();
      const code = r.int16();
      if (code !== 0) refusals.push(code);
      r.take(8 + 8 + 8); // Base offset, append time, start of the log.
    }
  }
  return { refusals, clientSideThrottleTime: r.int32() };
};

/** Of several refusals the one that is final decides: what is tried again is the whole request. */
const refuse = async (decoded: unknown): Promise<void> => {
  const errors = (decoded as Answer).refusals.map(createErrorFromCode);
  const error = errors.find(one => !isRefusedForNow(one)) ?? errors[0];
  if (error !== undefined) throw error;
};

/** Memory of requests that is kept, bytes at most. */
const KEPT_BYTES_MAX = 8 * 1_048_576;
/** Of all producers of the process. */
const pieces = new Pieces(KEPT_BYTES_MAX);

/** Sends batches in our own encoding over a connection of kafkajs. @throws what the node refuses them with */
export const produce = async (node: Node, request: ProduceRequest): Promise<void> => {
  const buffer = encodeProduce(request, pieces);
  const asked: ProtocolRequest = {
    request: {
      apiKey: PRODUCE,
      apiVersion: PRODUCE_VERSION,
      apiName: 'Produce',
      encode: async () => ({ buffer }),
    },
    response: { decode: async raw => decodeProduced(raw), parse: refuse },
  };
  await node.connectionPool.send(asked);
  // The broker has read all of what it answers, and nobody sends it again. Of all else nobody knows whether it is still on its way.
  pieces.give(buffer);
};
