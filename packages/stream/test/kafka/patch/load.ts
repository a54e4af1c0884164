import { createRequire } from 'node:module';
import { crc32c } from '@node-rs/crc32';

/** A file of the kafkajs that the adapter runs on, below `src/`. */
export const loadSource = createRequire(import.meta.url) as (path: string) => unknown;

/** The bytes of one record batch (magic 2) as a broker stores it: an empty one is what compaction leaves at a tail. */
export const recordBatch = (
  baseOffset: number,
  lastOffsetDelta: number,
  records: readonly Buffer[],
  attributes = 0,
): Buffer => {
  const body = Buffer.concat(records);
  const head = Buffer.alloc(61);
  head.writeBigInt64BE(BigInt(baseOffset), 0);
  head.writeInt32BE(49 + body.length, 8);
  head.writeInt8(2, 16);
  head.writeInt16BE(attributes, 21);
  head.writeInt32BE(lastOffsetDelta, 23);
  head.writeInt32BE(records.length, 57);
  const batch = Buffer.concat([head, body]);
  batch.writeUInt32BE(crc32c(batch.subarray(21)), 17);
  return batch;
};

const zigzag = (value: number): Buffer => {
  const bytes: number[] = [];
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) bytes.push((left & 0x7f) | 0x80);
  return Buffer.from([...bytes, left]);
};

/** One record of a batch, with its length in front. */
export const record = (
  offsetDelta: number,
  value: string,
  headers: readonly (readonly [string, string])[] = [],
): Buffer => {
  const bytes = (text: string): Buffer => Buffer.concat([zigzag(Buffer.byteLength(text)), Buffer.from(text)]);
  const body = Buffer.concat([
    Buffer.from([0]),
    zigzag(0),
    zigzag(offsetDelta),
    zigzag(-1),
    bytes(value),
    zigzag(headers.length),
    ...headers.flatMap(([name, text]) => [bytes(name), bytes(text)]),
  ]);
  return Buffer.concat([zigzag(body.length), body]);
};

interface DecodedRecord {
  readonly offset: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly headerList?: readonly { readonly key: string; readonly value: Buffer }[];
}

/** What kafkajs makes of the batches of one partition in an answer to Fetch. */
export const decodeFetched = async (
  batches: readonly Buffer[],
): Promise<readonly DecodedRecord[] & { readonly lastBatchOffset?: string | null }> => {
  const DecoderOf = loadSource('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
  const decodeMessages = loadSource('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as (
    decoder: object,
  ) => Promise<readonly DecodedRecord[]>;
  const set = Buffer.concat(batches);
  const length = Buffer.alloc(4);
  length.writeInt32BE(set.length);
  return decodeMessages(new DecoderOf(Buffer.concat([length, set])));
};
