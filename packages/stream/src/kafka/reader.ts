/** Numbers are big-endian; "compact" lengths are unsigned varints, one more than the length, 0 for null. */
export class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** @throws RangeError where there are fewer, or where the length is none */
  #step(length: number): number {
    const from = this.#at;
    if (length < 0) throw new RangeError(`a length of ${length}`);
    if (from + length > this.#bytes.length) throw new RangeError('the answer ends too early');
    this.#at = from + length;
    return from;
  }

  /** @throws RangeError as `#step` */
  take(length: number): Buffer {
    const from = this.#step(length);
    return this.#bytes.subarray(from, from + length);
  }

  int16 = (): number => this.#bytes.readInt16BE(this.#step(2));
  int32 = (): number => this.#bytes.readInt32BE(this.#step(4));
  /** @throws RangeError beyond 2^53 */
  int64 = (): number => {
    const value = Number(this.bigInt64());
    if (!Number.isSafeInteger(value)) throw new RangeError(`the number ${value} is beyond 2^53`);
    return value;
  };
  bigInt64 = (): bigint => this.#bytes.readBigInt64BE(this.#step(8));
  bool = (): boolean => this.#bytes[this.#step(1)] !== 0;

  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#step(1)]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new RangeError('a length of more than 32 bits');
  }

  string(): string | null {
    const length = this.varint() - 1;
    return length < 0 ? null : this.take(length).toString('utf8');
  }

  array<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.varint() - 1) }, read);
  }

  tags(): void {
    this.array0(() => {
      this.varint();
      this.take(this.varint());
    });
  }

  // The number of tags is not a compact length.
  array0(read: () => void): void {
    for (let left = this.varint(); left > 0; left--) read();
  }
}
