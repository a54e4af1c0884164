import type { OutRecord } from '../broker/port.ts';
import type { Node, OutMessage } from './internals.ts';
import type { ProduceRequest } from './produce.ts';

/** The way back: record batches as kafkajs writes them, which takes every record as an object. */
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
