import { createHash } from 'node:crypto';
import { crc32 } from '@node-rs/crc32';
import { groupOf } from '../state/grouped.ts';

/** How keys and values lie in LMDB. A changed layout gets another number: stores of an older one are built again. */
export const LAYOUT = 1;

/** First byte of a key: what follows is the key, or hashes of its parts where it is longer than LMDB takes. */
const WHOLE = 0;
const HASHED = 1;
/** LMDB takes 1,978 bytes with pages of 4 KiB. */
const KEY_BYTES_MAX = 1_900;
export const META_KEY: Uint8Array = Uint8Array.of(2);

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

const wholeKey = (key: string, byteLength: number): Buffer => {
  const bytes = Buffer.allocUnsafe(1 + byteLength);
  bytes[0] = WHOLE;
  bytes.write(key, 1);
  return bytes;
};

export function encodeKey(key: string): Uint8Array {
  const byteLength = Buffer.byteLength(key);
  if (byteLength <= KEY_BYTES_MAX) return wholeKey(key, byteLength);
  const group = groupOf(key);
  return Buffer.concat([Uint8Array.of(HASHED), sha256(group), sha256(key.slice(group.length))]);
}

/** The ranges of keys in which the entries of a group lie: of its short keys, and of those too long. */
export function groupRanges(
  group: string,
): readonly { readonly start: Uint8Array; readonly end: Uint8Array }[] {
  const hashed = Buffer.concat([Uint8Array.of(HASHED), sha256(group)]);
  const byteLength = Buffer.byteLength(group);
  const starts = byteLength <= KEY_BYTES_MAX ? [wholeKey(group, byteLength), hashed] : [hashed];
  return starts.map(start => ({ start, end: after(start) }));
}

/** The first key behind all that begin with these bytes. */
function after(prefix: Uint8Array): Uint8Array {
  const end = Buffer.from(prefix);
  let at = end.length - 1;
  while (end[at] === 0xff) at--;
  end[at] = end[at]! + 1;
  return end.subarray(0, at + 1);
}

/** CRC-32 of the rest (4 bytes), length of the key (4 bytes; 0 where the key in LMDB is whole), key, value. */
const HEAD_BYTES = 8;

export function encodeValue(key: string, encodedKey: Uint8Array, value: Uint8Array): Uint8Array {
  const kept = encodedKey[0] === HASHED ? Buffer.from(key) : Buffer.alloc(0);
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + kept.length + value.length);
  bytes.writeUInt32LE(kept.length, 4);
  bytes.set(kept, HEAD_BYTES);
  bytes.set(value, HEAD_BYTES + kept.length);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** @throws Error where the bytes are not what was written */
export function decodeEntry(
  encodedKey: Uint8Array,
  bytes: Uint8Array,
): readonly [key: string, value: Uint8Array] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < HEAD_BYTES || buffer.readUInt32LE(0) !== crc32(buffer.subarray(4)))
    throw new Error('an entry of the local state is damaged');
  const valueAt = HEAD_BYTES + buffer.readUInt32LE(4);
  const key =
    encodedKey[0] === WHOLE
      ? Buffer.from(encodedKey.buffer, encodedKey.byteOffset + 1, encodedKey.length - 1).toString()
      : buffer.toString('utf8', HEAD_BYTES, valueAt);
  return [key, new Uint8Array(bytes.buffer, bytes.byteOffset + valueAt, bytes.length - valueAt)];
}
