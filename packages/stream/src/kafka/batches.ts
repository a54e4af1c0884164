import type { OutRecord, TopicPartition } from '../broker/port.ts';
import { recordBytesMax } from './records/encode.ts';

/** Bytes of one batch as encoded, at most: the broker's limit is 1,048,588, and one send must be one batch of it. */
export const BATCH_BYTES_MAX = 900_000;

/** Bytes of one produce request, at most. The broker's limit is 100 MB, and the answer is due within a request's time-out. */
export const REQUEST_BYTES_MAX = 16 * 1_048_576;

export interface Batch {
  readonly records: readonly OutRecord[];
  /** At least as large as its records will be when encoded. */
  readonly bytesMax: number;
}

export interface PartitionBatches extends TopicPartition {
  readonly batches: readonly Batch[];
}

interface Gathered extends TopicPartition {
  readonly batches: { readonly records: OutRecord[]; bytesMax: number }[];
}

/** Records by partition, in order, in batches below the limit. A record that is larger alone is a batch alone. */
export const batchesOf = (records: readonly OutRecord[]): readonly PartitionBatches[] => {
  const all: Gathered[] = [];
  const byTopic = new Map<string, Gathered[]>();
  let last: Gathered | undefined;
  for (const record of records) {
    const { topic, partition } = record;
    // Records of one partition mostly follow each other.
    if (last?.partition !== partition || last.topic !== topic) {
      let ofTopic = byTopic.get(topic);
      if (ofTopic === undefined) byTopic.set(topic, (ofTopic = []));
      last = ofTopic[partition];
      if (last === undefined) all.push((last = ofTopic[partition] = { topic, partition, batches: [] }));
    }
    const bytes = recordBytesMax(record);
    let batch = last.batches.at(-1);
    if (batch === undefined || batch.bytesMax + bytes > BATCH_BYTES_MAX)
      last.batches.push((batch = { records: [], bytesMax: 0 }));
    batch.records.push(record);
    batch.bytesMax += bytes;
  }
  return all;
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
