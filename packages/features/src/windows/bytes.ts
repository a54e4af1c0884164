/** Appends numbers and text to a growing buffer. Whole numbers take 7 bits a byte, the sign in the lowest bit. */
export class ByteWriter {
  private buffer = Buffer.allocUnsafe(1024);
  private at = 0;

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.at = this.buffer.writeUInt32LE(value, this.at);
  }

  /** A whole number of magnitude below 2^52. */
  whole(value: number): void {
    this.reserve(8);
    const { buffer } = this;
    let { at } = this;
    let rest = value < 0 ? -value * 2 - 1 : value * 2;
    // Shifts are cheaper than divisions where 32 bits are enough.
    for (; rest >= 2 ** 31; rest = Math.floor(rest / 128)) buffer[at++] = (rest % 128) + 128;
    for (let small = rest | 0; ; small >>>= 7) {
      if (small < 128) {
        buffer[at++] = small;
        break;
      }
      buffer[at++] = (small & 127) | 128;
    }
    this.at = at;
  }

  double(value: number): void {
    this.reserve(8);
    this.at = this.buffer.writeDoubleLE(value, this.at);
  }

  text(value: string): void {
    const length = Buffer.byteLength(value);
    this.whole(length);
    this.reserve(length);
    this.at += this.buffer.write(value, this.at);
  }

  done(): Uint8Array {
    return new Uint8Array(this.buffer.subarray(0, this.at));
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.buffer.length * 2, this.at + bytes));
    this.buffer.copy(grown);
    this.buffer = grown;
  }
}

/** Reads what `ByteWriter` wrote. @throws RangeError past the end */
export class ByteReader {
  private readonly buffer: Buffer;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.buffer.readUInt8(this.at++);
  }

  uint32(): number {
    this.at += 4;
    return this.buffer.readUInt32LE(this.at - 4);
  }

  whole(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte % 128) * factor;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }

  double(): number {
    this.at += 8;
    return this.buffer.readDoubleLE(this.at - 8);
  }

  text(): string {
    const length = this.whole();
    this.at += length;
    if (length < 0 || this.at > this.buffer.length)
      throw new RangeError('text runs past the end of its chunk');
    return this.buffer.toString('utf8', this.at - length, this.at);
  }
}
