import type { OutRecord, TopicPartition } from '../broker/port.ts';
import type { OutMessage } from './internals.ts';

/** Bytes of one batch as encoded, at most: the broker's limit is 1,048,588, and one send must be one batch of it. */
export const BATCH_BYTES_MAX = 900_000;
const RECORD_OVERHEAD_BYTES = 24;
const HEADER_OVERHEAD_BYTES = 10;

/** Bytes of one produce request, at most. The broker's limit is 100 MB, and the answer is due within a request's time-out. */
export const REQUEST_BYTES_MAX = 16 * 1_048_576;

export interface Batch {
  readonly messages: readonly OutMessage[];
  /** At least as large as its records will be when encoded. */
  readonly bytesMax: number;
}

export interface PartitionBatches extends TopicPartition {
  readonly batches: readonly Batch[];
}

/** At least as large as the record will be when encoded. */
export const encodedBytesMax = ({ key, value, headers = [] }: OutRecord): number =>
  headers.reduce(
    (sum, [name, bytes]) => sum + HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + bytes.length,
    RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0),
  );

// kafkajs takes Buffers for bytes; these share the memory.
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const messageOf = ({ key, value, headers = [] }: OutRecord): OutMessage => ({
  key: key === null ? null : bufferOf(key),
  value: value === null ? null : bufferOf(value),
  headers: headers.map(([name, bytes]) => ({ key: name, value: bufferOf(bytes) })),
});

/** Records by partition, in order, in batches below the limit. A record that is larger alone is a batch alone. */
export const batchesOf = (records: readonly OutRecord[]): readonly PartitionBatches[] => {
  const byPartition = Map.groupBy(records, ({ topic, partition }) => `${topic}/${partition}`);
  return [...byPartition.values()].map(ofPartition => {
    const { topic, partition } = ofPartition[0]!;
    const batches: { messages: OutMessage[]; bytesMax: number }[] = [];
    for (const record of ofPartition) {
      const bytes = encodedBytesMax(record);
      let batch = batches.at(-1);
      if (batch === undefined || batch.bytesMax + bytes > BATCH_BYTES_MAX)
        batches.push((batch = { messages: [], bytesMax: 0 }));
      batch.messages.push(messageOf(record));
      batch.bytesMax += bytes;
    }
    return { topic, partition, batches };
  });
};

/** Batches of different partitions, in order, in groups that one request may carry. */
export const requestsOf = <B extends Pick<Batch, 'bytesMax'>>(
  batches: readonly B[],
): readonly (readonly B[])[] => {
  const requests: B[][] = [];
  let bytes = Infinity;
  for (const batch of batches) {
    if (bytes + batch.bytesMax > REQUEST_BYTES_MAX) {
      requests.push([]);
      bytes = 0;
    }
    requests.at(-1)!.push(batch);
    bytes += batch.bytesMax;
  }
  return requests;
};
