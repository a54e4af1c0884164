import { BrokerError, type BytesPlace } from '../../broker/port.ts';
import type { Batch } from './batches.ts';

/** Numbers kept of each record: where key, value and headers lie in the bytes of its batch, and which batch that is. */
const KEY_AT = 0;
const KEY_BYTES = 1;
const VALUE_AT = 2;
const VALUE_BYTES = 3;
const HEADERS_AT = 4;
const END = 5;
const BATCH = 6;
const STRIDE = 7;

const EMPTY = new Uint8Array(0);
const NO_INDEX = new Int32Array(0);
const NO_NUMBERS = new Float64Array(0);
const RECORD_BYTES_MIN = 7;
const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;

export type Header = readonly [string, Uint8Array];

/** Reads zigzag varints of one buffer, one after the other. Past the end they are NaN or meaningless: callers check `at`. */
class Varints {
  readonly bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, start: number) {
    this.bytes = bytes;
    this.at = start;
  }

  int(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    for (let shift = 7; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
      byte = bytes[this.at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    return (value >>> 1) ^ -(value & 1);
  }

  /** Exact to 2^53. */
  long(): number {
    const { bytes } = this;
    let byte = bytes[this.at++]!;
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1);
    let value = byte & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < VARLONG_BYTES_MAX; i++, scale *= 0x80) {
      byte = bytes[this.at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

/** A count that no bytes stand behind is not believed. */
const countOf = ({ count, start, end }: Batch): number =>
  Math.max(0, Math.min(count, Math.floor((end - start) / RECORD_BYTES_MIN)));

/**
 * The records of some batches, as views: one pass notes where each lies, and nothing is made of a record before
 * somebody asks for it. Offsets below `from`, or at `until` and beyond, are left out.
 */
export class Records {
  readonly #batches: readonly Batch[];
  readonly #index: Int32Array;
  readonly #offsets: Float64Array;
  readonly #times: Float64Array;
  #length = 0;
  #bytes = 0;

  /** @throws BrokerError where the bytes of a batch are no records */
  constructor(batches: readonly Batch[], from: number, until: number, where: string) {
    this.#batches = batches;
    const count = batches.reduce((sum, batch) => sum + countOf(batch), 0);
    // An answer brings nothing of most partitions at a trickle: nothing is made for them.
    this.#index = count === 0 ? NO_INDEX : new Int32Array(count * STRIDE);
    this.#offsets = count === 0 ? NO_NUMBERS : new Float64Array(count);
    this.#times = count === 0 ? NO_NUMBERS : new Float64Array(count);
    for (let i = 0; i < batches.length; i++) {
      const batch = batches[i]!;
      if (!this.#note(batch, i, from, until))
        throw new BrokerError(`${where} offset ${batch.baseOffset}: the bytes of the batch are no records`, {
          retriable: false,
        });
    }
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  #note(batch: Batch, number: number, from: number, until: number): boolean {
    const { bytes, start, end, baseOffset, lastOffset, baseTimestampMs, appendTimeMs } = batch;
    const reader = new Varints(bytes, start);
    const index = this.#index;
    const offsets = this.#offsets;
    const times = this.#times;
    let noted = this.#length;
    let notedBytes = 0;
    for (let left = batch.count; left > 0; left--) {
      const length = reader.int();
      const recordEnd = reader.at + length;
      if (!(length >= 0) || recordEnd > end) return false;
      reader.at++; // Attributes: none are in use.
      const timestampDelta = reader.long();
      const offset = baseOffset + reader.int();
      const keyBytes = reader.int();
      const keyAt = reader.at;
      if (keyBytes > 0) reader.at += keyBytes;
      const valueBytes = reader.int();
      const valueAt = reader.at;
      if (valueBytes > 0) reader.at += valueBytes;
      if (!(reader.at < recordEnd) || offset < baseOffset || offset > lastOffset) return false;
      if (offset >= from && offset < until) {
        const to = noted * STRIDE;
        index[to + KEY_AT] = keyAt;
        index[to + KEY_BYTES] = keyBytes;
        index[to + VALUE_AT] = valueAt;
        index[to + VALUE_BYTES] = valueBytes;
        index[to + HEADERS_AT] = reader.at;
        index[to + END] = recordEnd;
        index[to + BATCH] = number;
        offsets[noted] = offset;
        times[noted] = appendTimeMs ?? baseTimestampMs + timestampDelta;
        noted++;
        notedBytes += Math.max(keyBytes, 0) + Math.max(valueBytes, 0);
      }
      reader.at = recordEnd;
    }
    this.#length = noted;
    this.#bytes += notedBytes;
    return true;
  }

  offset(i: number): number {
    return this.#offsets[i]!;
  }

  appendTimeMs(i: number): number {
    return this.#times[i]!;
  }

  key(i: number): Buffer | null {
    return this.#view(i * STRIDE + KEY_AT, i);
  }

  value(i: number): Buffer | null {
    return this.#view(i * STRIDE + VALUE_AT, i);
  }

  keyIn(i: number, place: BytesPlace): boolean {
    return this.#place(i * STRIDE + KEY_AT, i, place);
  }

  valueIn(i: number, place: BytesPlace): boolean {
    return this.#place(i * STRIDE + VALUE_AT, i, place);
  }

  #place(at: number, i: number, place: BytesPlace): boolean {
    const length = this.#index[at + 1]!;
    if (length < 0) return false;
    place.bytes = this.#bytesOf(i);
    place.from = this.#index[at]!;
    place.to = place.from + length;
    return true;
  }

  beginAlike(i: number, j: number, bytes: number): boolean {
    const [a, b] = [this.#bytesOf(i), this.#bytesOf(j)];
    const [first, second] = [i * STRIDE, j * STRIDE];
    const index = this.#index;
    if (index[first + VALUE_BYTES]! < bytes || index[second + VALUE_BYTES]! < bytes) return false;
    const [firstAt, secondAt] = [index[first + VALUE_AT]!, index[second + VALUE_AT]!];
    for (let k = 0; k < bytes; k++) if (a[firstAt + k] !== b[secondAt + k]) return false;
    return true;
  }

  /** A Buffer, though a plain view would be made in half the time: codecs take nothing else for bytes. */
  #view(at: number, i: number): Buffer | null {
    const length = this.#index[at + 1]!;
    if (length < 0) return null;
    const start = this.#index[at]!;
    return this.#bytesOf(i).subarray(start, start + length);
  }

  #bytesOf(i: number): Buffer {
    return this.#batches[this.#index[i * STRIDE + BATCH]!]!.bytes;
  }

  /** The first of the name. */
  header(i: number, name: string): Uint8Array | undefined {
    // Most records have none, and several names are looked for in each: a count of zero is one byte.
    if (this.#bytesOf(i)[this.#index[i * STRIDE + HEADERS_AT]!] === 0) return undefined;
    return this.headers(i).find(([other]) => other === name)?.[1];
  }

  /** @throws BrokerError where the bytes are no headers */
  headers(i: number): readonly Header[] {
    const bytes = this.#bytesOf(i);
    const end = this.#index[i * STRIDE + END]!;
    const reader = new Varints(bytes, this.#index[i * STRIDE + HEADERS_AT]!);
    const headers: Header[] = [];
    for (let left = reader.int(); left > 0; left--) {
      const name = this.#sized(reader);
      const value = this.#sized(reader);
      if (name === null || reader.at > end)
        throw new BrokerError(`offset ${this.offset(i)}: the bytes of the headers are none`, { retriable: false }); // prettier-ignore
      headers.push([name.toString('utf8'), value ?? EMPTY]);
    }
    return headers;
  }

  #sized(reader: Varints): Buffer | null {
    const length = reader.int();
    if (length < 0) return null;
    const start = reader.at;
    reader.at += length;
    return (reader.bytes as Buffer).subarray(start, reader.at);
  }
}

/** Type of a control batch, from the key of its record: two bytes of version, two of type. -1 where it has none. */
export const controlTypeOf = (batch: Batch): number => {
  const records = new Records([batch], 0, Infinity, 'the control batch at');
  const key = records.length === 0 ? null : records.key(0);
  return key === null || key.length < 4 ? -1 : key.readInt16BE(2);
};
