import { createRequire } from 'node:module';

/** How requests are written that kafkajs cannot encode. */
interface Encoder {
  readonly buf: Buffer;
  readonly buffer: Buffer;
  writeBufferInternal(bytes: Buffer): void;
}
const EncoderOf = createRequire(import.meta.url)('kafkajs/src/protocol/encoder') as new () => Encoder;

/** The header of a flexible request ends with tags, which kafkajs does not write: they lead our body instead. */
export const NO_TAGS = Buffer.from([0]);

export const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let left = value;
  for (; left >= 0x80; left >>>= 7) bytes.push((left & 0x7f) | 0x80);
  return Buffer.from([...bytes, left]);
};
export const compactString = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([varint(bytes.length + 1), bytes]);
};

export const encoded = (body: Buffer) => async (): Promise<Encoder> => {
  const encoder = new EncoderOf();
  encoder.writeBufferInternal(body);
  return encoder;
};

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
};

export const int16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
};

export const int64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigInt64BE(value);
  return bytes;
};

/** With its length before it, as requests that are not flexible have it. */
export const string16 = (text: string): Buffer => {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
};
