import { crc32c } from '@node-rs/crc32';
import type { RecordRun } from '../../../src/broker/port.ts';
import type { RawPartition } from '../../../src/kafka/fetch.ts';
import { fetchedRun } from '../../../src/kafka/run.ts';
import { recordsOf, type Seen } from '../../broker/harness.ts';
import { recordBatch } from '../patch/load.ts';

/** What an answer to Fetch holds of one partition, made of batches. */
export const fetched = (batches: readonly Buffer[], of: Partial<RawPartition> = {}): RawPartition => ({
  topic: 't',
  partition: 0,
  lastStableOffset: 100,
  aborted: [],
  bytes: Buffer.concat(batches),
  ...of,
});

export const runOf = (batches: readonly Buffer[], from = 0, of: Partial<RawPartition> = {}): RecordRun =>
  fetchedRun(fetched(batches, of), from);

export const valuesIn = (run: RecordRun): (string | null)[] => recordsOf(run).map(({ value }: Seen) => value);

export const TRANSACTIONAL = 0x10;
export const CONTROL = 0x20;

/** Writes the checksum anew, after bytes were changed. */
export const sealed = (batch: Buffer): Buffer => {
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
};

export const byProducer = (batch: Buffer, producerId: number): Buffer => {
  batch.writeBigInt64BE(BigInt(producerId), 43);
  return sealed(batch);
};

/** The control batch that ends a producer's transaction. */
export const marker = (offset: number, producerId: number, type: 'abort' | 'commit'): Buffer => {
  const key = Buffer.from([0, 0, 0, type === 'abort' ? 0 : 1]);
  // Length, attributes, time, offset, key of 4 bytes, value of 6, no headers.
  const record = Buffer.from([32, 0, 0, 0, 8, ...key, 12, 0, 0, 0, 0, 0, 0, 0]);
  return byProducer(recordBatch(offset, 0, [record], TRANSACTIONAL | CONTROL), producerId);
};
