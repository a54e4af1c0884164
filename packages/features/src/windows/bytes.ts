/** Reads chunks: what `ValueWriter` wrote. @throws RangeError past the end */
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
