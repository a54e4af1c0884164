import { crc32c } from '@node-rs/crc32';
import type { OutRecord } from '../../broker/port.ts';
import { SharedRecord } from '../../broker/shared.ts';
import * as at from './layout.ts';

/** Bytes of a record beside key, value and headers, at most: two of one byte, and five numbers within one batch. */
const RECORD_BYTES_MAX = 24;
const HEADER_BYTES_MAX = 10;
const NONE = -1;

/** What one batch says of itself beside its records. */
export interface BatchHead {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  /** Create time of all of its records; topics that append by time put their own in its place. */
  readonly timestampMs: number;
}

/** At least as large as the record will be when encoded. */
export const recordBytesMax = (record: OutRecord): number => {
  if (record instanceof SharedRecord) return RECORD_BYTES_MAX + record.end - record.keyAt;
  const { key, value, headers } = record;
  let bytes = RECORD_BYTES_MAX + (key?.length ?? 0) + (value?.length ?? 0);
  if (headers !== undefined)
    for (const [name, of] of headers) bytes += HEADER_BYTES_MAX + Buffer.byteLength(name) + of.length;
  return bytes;
};

/** Bytes of a whole number as a zigzag varint. */
const varintBytes = (value: number): number => {
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  let bytes = 1;
  for (; left > 0x7f; left >>>= 7) bytes++;
  return bytes;
};

const writeVarint = (into: Uint8Array, to: number, value: number): number => {
  let left = ((value << 1) ^ (value >> 31)) >>> 0;
  let next = to;
  for (; left > 0x7f; left >>>= 7) into[next++] = left | 0x80;
  into[next++] = left;
  return next;
};

/** Below it a loop is quicker than the call that copies. */
const LOOP_BYTES_MAX = 48;

const writeBytes = (into: Uint8Array, to: number, bytes: Uint8Array | null): number => {
  if (bytes === null) return writeVarint(into, to, NONE);
  const { length } = bytes;
  const start = writeVarint(into, to, length);
  if (length > LOOP_BYTES_MAX) into.set(bytes, start);
  else for (let i = 0; i < length; i++) into[start + i] = bytes[i]!;
  return start + length;
};

const lengthBytes = (bytes: Uint8Array | null): number =>
  bytes === null ? 1 : varintBytes(bytes.length) + bytes.length;

type Headers = NonNullable<OutRecord['headers']>;
const NO_HEADERS: Headers = [];

const headersBytes = (headers: Headers): number => {
  let bytes = varintBytes(headers.length);
  for (const [name, value] of headers) {
    const nameBytes = Buffer.byteLength(name);
    bytes += varintBytes(nameBytes) + nameBytes + lengthBytes(value);
  }
  return bytes;
};

/** As `writeRecord`, of key and value that have no views of their own. */
const writeShared = (into: Buffer, to: number, offsetDelta: number, record: SharedRecord): number => {
  const { bytes, keyAt, valueAt, end } = record;
  const [keyBytes, valueBytes] = [valueAt - keyAt, end - valueAt];
  // Attributes, the difference of time and the number of headers are zero: a byte each.
  const body = 3 + varintBytes(offsetDelta) + varintBytes(keyBytes) + keyBytes + varintBytes(valueBytes) + valueBytes; // prettier-ignore
  let next = writeVarint(into, to, body);
  into[next++] = 0;
  into[next++] = 0;
  next = writeVarint(into, next, offsetDelta);
  next = writeVarint(into, next, keyBytes);
  for (let i = keyAt; i < valueAt; i++) into[next++] = bytes[i]!;
  next = writeVarint(into, next, valueBytes);
  into.set(bytes.subarray(valueAt, end), next);
  next += valueBytes;
  into[next++] = 0;
  return next;
};

const writeRecord = (into: Buffer, to: number, offsetDelta: number, record: OutRecord): number => {
  if (record instanceof SharedRecord) return writeShared(into, to, offsetDelta, record);
  const { key, value, headers = NO_HEADERS } = record;
  // Attributes and the difference of time are zero: a byte each.
  const body = 2 + varintBytes(offsetDelta) + lengthBytes(key) + lengthBytes(value) + headersBytes(headers);
  let next = writeVarint(into, to, body);
  into[next++] = 0;
  into[next++] = 0;
  next = writeVarint(into, next, offsetDelta);
  next = writeBytes(into, next, key);
  next = writeBytes(into, next, value);
  next = writeVarint(into, next, headers.length);
  for (const [name, of] of headers) {
    next = writeVarint(into, next, Buffer.byteLength(name));
    next += into.write(name, next, 'utf8');
    next = writeBytes(into, next, of);
  }
  return next;
};

/**
 * Writes records as one uncompressed batch, once through, and says where it ends. There must be room for
 * `at.RECORDS_AT` bytes and `recordBytesMax` of each record.
 */
export const writeBatch = (
  into: Buffer,
  to: number,
  records: readonly OutRecord[],
  head: BatchHead,
): number => {
  let end = to + at.RECORDS_AT;
  for (let i = 0; i < records.length; i++) end = writeRecord(into, end, i, records[i]!);
  const timestamp = BigInt(head.timestampMs);
  into.writeBigInt64BE(0n, to + at.BASE_OFFSET_AT);
  into.writeInt32BE(end - to - at.PREFIX_BYTES, to + at.LENGTH_AT);
  into.writeInt32BE(0, to + at.LEADER_EPOCH_AT);
  into[to + at.MAGIC_AT] = at.MAGIC;
  into.writeInt16BE(head.transactional ? at.TRANSACTIONAL : 0, to + at.ATTRIBUTES_AT);
  into.writeInt32BE(records.length - 1, to + at.LAST_OFFSET_DELTA_AT);
  into.writeBigInt64BE(timestamp, to + at.BASE_TIMESTAMP_AT);
  into.writeBigInt64BE(timestamp, to + at.MAX_TIMESTAMP_AT);
  into.writeBigInt64BE(head.producerId, to + at.PRODUCER_ID_AT);
  into.writeInt16BE(head.producerEpoch, to + at.PRODUCER_EPOCH_AT);
  into.writeInt32BE(head.baseSequence, to + at.BASE_SEQUENCE_AT);
  into.writeInt32BE(records.length, to + at.COUNT_AT);
  into.writeUInt32BE(crc32c(into.subarray(to + at.ATTRIBUTES_AT, end)), to + at.CRC_AT);
  return end;
};
