import type { OutRecord, RecordRun } from '../broker/port.ts';
import { exactOffset } from './exact.ts';
import type { FetchRequest } from './fetch.ts';
import type { FetchedRuns } from './fetcher.ts';
import {
  type FetchedPartition,
  filterAborted,
  type Message,
  type Node,
  type OutMessage,
} from './internals.ts';
import type { ProduceRequest } from './produce.ts';

// The way back: record batches as kafkajs reads and writes them, every record an object.

const ALL_REPLICAS = -1;

// kafkajs takes Buffers for bytes; these share the memory.
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const messageOf = ({ key, value, headers = [] }: OutRecord, timestamp: string): OutMessage => ({
  key: key === null ? null : bufferOf(key),
  value: value === null ? null : bufferOf(value),
  headers: headers.map(([name, bytes]) => ({ key: name, value: bufferOf(bytes) })),
  timestamp,
});

export const stockProduceRequest = (request: ProduceRequest): Parameters<Node['produce']>[0] => {
  const { timeoutMs, timestampMs, topics, ...ids } = request;
  const timestamp = String(timestampMs);
  return {
    ...ids,
    acks: ALL_REPLICAS,
    timeout: timeoutMs,
    topicData: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, firstSequence, records }) => ({
        partition,
        firstSequence,
        messages: records.map(record => messageOf(record, timestamp)),
      })),
    })),
  };
};

export const produceStock = async (node: Node, request: ProduceRequest): Promise<void> => {
  await node.produce(stockProduceRequest(request));
};

const EMPTY = new Uint8Array(0);

const valueOf = (value: Buffer | null): Uint8Array => value ?? EMPTY;

/** As `fetchedRun`, of what kafkajs has decoded. */
export const stockRun = (
  topic: string,
  from: number,
  fetched: FetchedPartition,
  until = Infinity,
): RecordRun => {
  const { partition, messages, abortedTransactions, lastStableOffset } = fetched;
  // Batches are fetched whole: the first may begin before the offset.
  const within = messages.filter(({ offset }) => Number(offset) >= from);
  const records: readonly Message[] = filterAborted({ messages: within, abortedTransactions }).filter(
    message => !message.isControlRecord && Number(message.offset) < until,
  );
  const headers = (i: number): readonly (readonly [string, Uint8Array])[] =>
    records[i]!.headerList.map(({ key, value }) => [key, valueOf(value)] as const);
  return {
    topic,
    partition,
    length: records.length,
    bytes: records.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0),
    nextOffset: nextOffsetOf(from, fetched),
    highWatermark: exactOffset(lastStableOffset),
    offset: i => Number(records[i]!.offset),
    appendTimeMs: i => Number(records[i]!.timestamp),
    key: i => records[i]!.key,
    value: i => records[i]!.value,
    header: (i, name) => {
      const found = records[i]!.headerList.find(({ key }) => key === name);
      return found === undefined ? undefined : valueOf(found.value);
    },
    headers,
  };
};

const nextOffsetOf = (from: number, { messages }: FetchedPartition): number => {
  const { lastBatchOffset } = messages;
  const last = lastBatchOffset ?? messages.at(-1)?.offset;
  return last === undefined ? from : Math.max(from, exactOffset(last) + 1);
};

export const fetchStock = async (node: Node, request: FetchRequest): Promise<FetchedRuns> => {
  const { waitMsMax, bytesMin, bytesMax, isolationLevel, topics } = request;
  const { responses } = await node.fetch({
    maxWaitTime: waitMsMax,
    minBytes: bytesMin,
    maxBytes: bytesMax,
    isolationLevel,
    topics: topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, position, bytesMax: maxBytes }) => ({
        partition,
        fetchOffset: String(position),
        maxBytes,
      })),
    })),
  });
  return responses.flatMap(({ topicName: topic, partitions }) =>
    partitions.map(one => ({
      topic,
      partition: one.partition,
      run: (from, until) => stockRun(topic, from, one, until),
    })),
  );
};
