/** Bytes that values are written to side by side before there is a new piece of memory. */
const SLAB_BYTES = 65_536;
const VARINT_BYTES_MAX = 10;
const FLOAT_BYTES = 4;
const DOUBLE_BYTES = 8;
/** UTF-8 of one UTF-16 unit. */
const CHARACTER_BYTES_MAX = 3;
/** Up to so many ASCII characters the length is one byte, and a loop is quicker than the call that encodes. */
const SHORT_TEXT_MAX = 63;
const ASCII_MAX = 0x7f;
/** Up to so many bytes a loop is quicker than the call that copies. */
const SHORT_BYTES_MAX = 40;
const WORD = 2 ** 31;

/**
 * Writes values one after the other, part by part, in Avro's encoding: whole numbers as zigzag varints, floats with the
 * small end first, text behind its length in bytes. Values lie side by side in larger pieces of memory.
 */
export class ValueWriter {
  readonly #take: (bytes: number) => Buffer;
  #bytes: Buffer;
  #start = 0;
  #at = 0;

  /** @param take gives each further piece of memory, of at least so many bytes */
  constructor(take: (bytes: number) => Buffer = bytes => Buffer.allocUnsafeSlow(bytes)) {
    this.#take = take;
    this.#bytes = take(SLAB_BYTES);
  }

  /** The memory in which the value lies that is being written, or was left last. */
  get memory(): Uint8Array {
    return this.#bytes;
  }

  /** Ends a value, and keeps it where it is: its piece of memory stays alive with it. @returns where in `memory` it begins */
  leave(): number {
    const start = this.#start;
    this.#start = this.#at;
    return start;
  }

  /** The value that ends here, in memory of its own: for what is kept. */
  copy(): Uint8Array {
    return new Uint8Array(this.view());
  }

  /** The value that ends here, until the next one is begun. */
  view(): Uint8Array {
    const value = this.#bytes.subarray(this.#start, this.#at);
    this.#at = this.#start;
    return value;
  }

  /** Begins a value; what was written and neither left nor copied, because it failed on the way, is forgotten. */
  begin(): void {
    this.#at = this.#start;
  }

  /** Bytes that were written of this value so far. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Leaves room for so many bytes, which are written once the value is left. */
  skip(bytes: number): void {
    this.#reserve(bytes);
    this.#at += bytes;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  uint32(value: number): void {
    this.#reserve(FLOAT_BYTES);
    this.#at = this.#bytes.writeUInt32LE(value, this.#at);
  }

  float(value: number): void {
    this.#reserve(FLOAT_BYTES);
    this.#at = this.#bytes.writeFloatLE(value, this.#at);
  }

  double(value: number): void {
    this.#reserve(DOUBLE_BYTES);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** A whole number, exact within 2^53: Avro's int and long. */
  whole(value: number): void {
    this.#reserve(VARINT_BYTES_MAX);
    const bytes = this.#bytes;
    const sign = value < 0 ? 1 : 0;
    // Divided before it is doubled, so that it stays exact.
    const size = sign === 1 ? -(value + 1) : value;
    let at = this.#at;
    let low: number;
    let rest: number;
    if (size < WORD) {
      low = ((size & 63) << 1) | sign;
      rest = size >>> 6;
    } else {
      // A remainder of doubles is a call into the C library.
      rest = Math.floor(size / 64);
      low = (size - rest * 64) * 2 + sign;
      while (rest >= WORD) {
        bytes[at++] = low | 128;
        const above = Math.floor(rest / 128);
        low = rest - above * 128;
        rest = above;
      }
    }
    // Shifts are cheaper than divisions where 32 bits are enough.
    for (; rest > 0; rest >>>= 7) {
      bytes[at++] = low | 128;
      low = rest & 127;
    }
    bytes[at++] = low;
    this.#at = at;
  }

  text(value: string): void {
    const { length } = value;
    this.#reserve(VARINT_BYTES_MAX + length * CHARACTER_BYTES_MAX);
    const start = this.#at;
    if (length <= SHORT_TEXT_MAX && this.#ascii(value, start + 1)) {
      this.#bytes[start] = length << 1;
      return;
    }
    this.whole(Buffer.byteLength(value));
    this.#at += this.#bytes.write(value, this.#at);
  }

  /** Text as it is, without its length. */
  characters(value: string): void {
    this.#reserve(value.length * CHARACTER_BYTES_MAX);
    if (value.length <= SHORT_TEXT_MAX && this.#ascii(value, this.#at)) return;
    this.#at += this.#bytes.write(value, this.#at);
  }

  raw(value: Uint8Array): void {
    const { length } = value;
    this.#reserve(length);
    const bytes = this.#bytes;
    const at = this.#at;
    if (length > SHORT_BYTES_MAX) bytes.set(value, at);
    else for (let i = 0; i < length; i++) bytes[at + i] = value[i]!;
    this.#at = at + length;
  }

  /** Bytes that lie among others, as they are. No view is made of them. */
  part(bytes: Uint8Array, from: number, to: number): void {
    const length = to - from;
    this.#reserve(length);
    const into = this.#bytes;
    if (length > SHORT_BYTES_MAX) Buffer.prototype.copy.call(bytes, into, this.#at, from, to);
    else for (let i = from, at = this.#at; i < to;) into[at++] = bytes[i++]!;
    this.#at += length;
  }

  /** @param start where its characters begin */
  #ascii(value: string, start: number): boolean {
    const bytes = this.#bytes;
    const { length } = value;
    let at = start;
    for (let i = 0; i < length; i++) {
      const code = value.charCodeAt(i);
      if (code > ASCII_MAX) return false;
      bytes[at++] = code;
    }
    this.#at = at;
    return true;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) this.#grow(bytes);
  }

  /** What is written of this value moves to a new piece; the values before it stay where they are. */
  #grow(bytes: number): void {
    const begun = this.#bytes.subarray(this.#start, this.#at);
    const piece = this.#take(Math.max(SLAB_BYTES, (begun.length + bytes) * 2));
    piece.set(begun);
    this.#bytes = piece;
    this.#start = 0;
    this.#at = begun.length;
  }
}
