import { isRefusedForNow } from './errors.ts';
import { createErrorFromCode, type Node, type ProtocolRequest } from './internals.ts';
import { Reader } from './reader.ts';
import type { Aborted } from './records/aborted.ts';

export interface FetchRequest {
  readonly waitMsMax: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
  readonly isolationLevel: number;
  readonly topics: readonly FetchTopic[];
}

export interface FetchTopic {
  readonly topic: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly position: number;
    readonly bytesMax: number;
  }[];
}

/** What a node answered of one partition: its record batches as they came. */
export interface RawPartition {
  readonly topic: string;
  readonly partition: number;
  readonly lastStableOffset: number;
  readonly aborted: readonly Aborted[];
  readonly bytes: Buffer;
}

const FETCH = 1;
/** The newest that has no tagged fields and names topics by name. */
const FETCH_VERSION = 11;
const NO_REPLICA = -1;
const NO_SESSION = 0;
const NO_SESSION_EPOCH = -1;
const ANY_LEADER_EPOCH = -1;
const NO_LOG_START = -1n;
const OFFSET_OUT_OF_RANGE = 1;

const HEAD_BYTES = 25;
const PARTITION_BYTES = 28;
/** No topics are forgotten, and no rack is named. */
const TAIL_BYTES = 6;

const bytesOf = (topics: readonly FetchTopic[]): number =>
  topics.reduce(
    (sum, { topic, partitions }) =>
      sum + 2 + Buffer.byteLength(topic) + 4 + partitions.length * PARTITION_BYTES,
    HEAD_BYTES + 4 + TAIL_BYTES,
  );

/** In one pass: at a trickle a service asks some hundred times a second, each time for all of its partitions. */
export const encodeFetch = ({
  waitMsMax,
  bytesMin,
  bytesMax,
  isolationLevel,
  topics,
}: FetchRequest): Buffer => {
  const into = Buffer.allocUnsafe(bytesOf(topics));
  let next = into.writeInt32BE(NO_REPLICA, 0);
  next = into.writeInt32BE(waitMsMax, next);
  next = into.writeInt32BE(bytesMin, next);
  next = into.writeInt32BE(bytesMax, next);
  next = into.writeInt8(isolationLevel, next);
  next = into.writeInt32BE(NO_SESSION, next);
  next = into.writeInt32BE(NO_SESSION_EPOCH, next);
  next = into.writeInt32BE(topics.length, next);
  for (const { topic, partitions } of topics) {
    const start = next + 2;
    next = start + into.write(topic, start, 'utf8');
    into.writeInt16BE(next - start, start - 2);
    next = into.writeInt32BE(partitions.length, next);
    for (const { partition, position, bytesMax: bytes } of partitions) {
      next = into.writeInt32BE(partition, next);
      next = into.writeInt32BE(ANY_LEADER_EPOCH, next);
      next = into.writeBigInt64BE(BigInt(position), next);
      next = into.writeBigInt64BE(NO_LOG_START, next);
      next = into.writeInt32BE(bytes, next);
    }
  }
  return into.fill(0, next); // The tail: an empty list, an empty text.
};

interface Refusal {
  readonly code: number;
  readonly topic: string;
  readonly partition: number;
}

interface Answer {
  readonly partitions: readonly RawPartition[];
  readonly refusals: readonly Refusal[];
  /** Read by kafkajs: how long the broker wants to hear nothing of us. */
  readonly clientSideThrottleTime: number;
}

export const decodeFetched = (raw: Buffer): Answer => {
  const r = new Reader(raw);
  const clientSideThrottleTime = r.int32();
  r.int16(); // An error of the whole answer: of sessions, which we do not use.
  r.int32();
  const partitions: RawPartition[] = [];
  const refusals: Refusal[] = [];
  for (let topics = r.int32(); topics > 0; topics--) {
    const topic = r.take(r.int16()).toString('utf8');
    for (let left = r.int32(); left > 0; left--) {
      const partition = r.int32();
      const code = r.int16();
      r.int64(); // High watermark: what is not stable yet is not for us.
      const lastStableOffset = r.int64();
      r.int64();
      const aborted: Aborted[] = [];
      for (let aborts = r.int32(); aborts > 0; aborts--)
        aborted.push({ producerId: r.bigInt64(), firstOffset: r.int64() });
      r.int32(); // Replica that it would like us to read from.
      const bytes = r.take(Math.max(0, r.int32()));
      if (code === 0) partitions.push({ topic, partition, lastStableOffset, aborted, bytes });
      else refusals.push({ code, topic, partition });
    }
  }
  return { partitions, refusals, clientSideThrottleTime };
};

/** Of several refusals the one that is final decides. An offset that is out of range says where. */
const refuse = async (decoded: unknown): Promise<readonly RawPartition[]> => {
  const { partitions, refusals } = decoded as Answer;
  const errors = refusals.map(({ code, topic, partition }) =>
    Object.assign(createErrorFromCode(code), code === OFFSET_OUT_OF_RANGE ? { topic, partition } : {}),
  );
  const error = errors.find(one => !isRefusedForNow(one)) ?? errors[0];
  if (error !== undefined) throw error;
  return partitions;
};

/** Fetches record batches as they are, over a connection of kafkajs. @throws what the node refuses with */
export const fetch = async (node: Node, request: FetchRequest): Promise<readonly RawPartition[]> => {
  const buffer = encodeFetch(request);
  const asked: ProtocolRequest = {
    request: {
      apiKey: FETCH,
      apiVersion: FETCH_VERSION,
      apiName: 'Fetch',
      encode: async () => ({ buffer }),
    },
    response: { decode: async raw => decodeFetched(raw), parse: refuse },
  };
  return (await node.connectionPool.send(asked)) as readonly RawPartition[];
};
