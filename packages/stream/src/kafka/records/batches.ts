import { crc32c } from '@node-rs/crc32';
import { BrokerError } from '../../broker/port.ts';
import { decompress } from './decompress.ts';
import * as at from './layout.ts';

/** One whole batch of an answer to Fetch, its checksum verified. */
export interface Batch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly baseTimestampMs: number;
  /** Set where the broker gave all records its own append time. */
  readonly appendTimeMs: number | undefined;
  readonly transactional: boolean;
  readonly control: boolean;
  readonly producerId: bigint;
  readonly count: number;
  /** Its records lie in `bytes` from `start` to `end`, not compressed. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Once the batches of an answer have so many bytes, decompressed, those behind are left for the next fetch. */
export const DECOMPRESSED_BYTES_ENOUGH = 1_048_576;

/**
 * Records of one batch at most. Each costs its reader some 50 ns before anybody asks for it, and millions of a few bytes
 * fit into a megabyte once they are compressed: they would keep the thread from its heartbeats.
 */
export const BATCH_RECORDS_MAX = 500_000;

const SAFE_HIGH_WORD_MAX = 2 ** 21;
const WORD = 2 ** 32;

const bad = (where: string, what: string): BrokerError =>
  new BrokerError(`${where}: ${what}`, { retriable: false });

/** A whole number of eight bytes as a number. @throws BrokerError beyond 2^53 */
const int64 = (bytes: Buffer, from: number, where: string): number => {
  const high = bytes.readInt32BE(from);
  if (high >= SAFE_HIGH_WORD_MAX || high < -SAFE_HIGH_WORD_MAX)
    throw bad(where, `the number ${bytes.readBigInt64BE(from)} is beyond 2^53`);
  return high * WORD + bytes.readUInt32BE(from + 4);
};

/**
 * Reads the batches of one partition in an answer to Fetch. The last may be cut off, as the broker answers with whole
 * bytes and not whole batches: it is left for the next fetch.
 * @throws BrokerError where a batch is not what its checksum says, is of a format before Kafka 0.11, or is compressed
 *   in a way that we do not read, or to more than we read at once
 */
export const readBatches = (bytes: Buffer, partition: string): readonly Batch[] => {
  const batches: Batch[] = [];
  let decompressed = 0;
  for (let from = 0; from + at.PREFIX_BYTES <= bytes.length && decompressed < DECOMPRESSED_BYTES_ENOUGH;) {
    const length = bytes.readInt32BE(from + at.LENGTH_AT);
    const end = from + at.PREFIX_BYTES + length;
    if (end > bytes.length) break;
    const batch = readBatch(bytes, from, end, partition);
    batches.push(batch);
    if (batch.bytes !== bytes) decompressed += batch.bytes.length;
    from = end;
  }
  return batches;
};

const readBatch = (bytes: Buffer, from: number, end: number, partition: string): Batch => {
  if (end - from < at.RECORDS_AT) throw bad(partition, 'a record batch is shorter than its header');
  const baseOffset = int64(bytes, from + at.BASE_OFFSET_AT, partition);
  const where = `${partition} offset ${baseOffset}`;
  const magic = bytes[from + at.MAGIC_AT]!;
  if (magic !== at.MAGIC)
    throw bad(where, `records are of format ${magic}, from before Kafka 0.11: read them with MILLRACE_KAFKA_BYTES=stock`); // prettier-ignore
  if (crc32c(bytes.subarray(from + at.ATTRIBUTES_AT, end)) !== bytes.readUInt32BE(from + at.CRC_AT))
    throw bad(
      where,
      'the checksum of the record batch is wrong: its bytes changed on the disk or on the way',
    );
  const lastOffset = baseOffset + bytes.readInt32BE(from + at.LAST_OFFSET_DELTA_AT);
  // Nobody could step over it: it would be fetched without end.
  if (lastOffset < baseOffset) throw bad(where, 'the record batch ends before it begins');
  const count = bytes.readInt32BE(from + at.COUNT_AT);
  if (count > BATCH_RECORDS_MAX)
    throw bad(where, `the batch has ${count} records, more than ${BATCH_RECORDS_MAX}: have it written in smaller batches, or read it with MILLRACE_KAFKA_BYTES=stock`); // prettier-ignore
  const attributes = bytes.readInt16BE(from + at.ATTRIBUTES_AT);
  const codec = attributes & at.COMPRESSION_MASK;
  const baseTimestampMs = int64(bytes, from + at.BASE_TIMESTAMP_AT, where);
  const appended = (attributes & at.LOG_APPEND_TIME) !== 0;
  const plain = codec === 0;
  const records = plain ? bytes : decompress(codec, bytes.subarray(from + at.RECORDS_AT, end), where);
  return {
    baseOffset,
    lastOffset,
    baseTimestampMs,
    appendTimeMs: appended ? int64(bytes, from + at.MAX_TIMESTAMP_AT, where) : undefined,
    transactional: (attributes & at.TRANSACTIONAL) !== 0,
    control: (attributes & at.CONTROL) !== 0,
    producerId: bytes.readBigInt64BE(from + at.PRODUCER_ID_AT),
    count,
    bytes: records,
    start: plain ? from + at.RECORDS_AT : 0,
    end: plain ? end : records.length,
  };
};
