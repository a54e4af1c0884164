/** Pieces kept at a time: one for each call that may be under way, and few are. */
const KEPT_MAX = 8;
/** A larger piece is left to the collector. */
const PIECE_BYTES_MAX = 4 * 1_048_576;
const PIECE_BYTES_MIN = 4_096;
const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/**
 * Memory of batches that is used again. Wide rows would else take new memory several times each, which is zeroed first,
 * and which makes V8 mark its heap after every 64 MB of it. Whoever gives a piece back must be the last who reads it: one
 * that was in use when something failed is better left to the collector.
 */
export class Floats {
  readonly #kept: ArrayBuffer[] = [];

  /** What it holds is of before: every value is to be written. */
  take(length: number): Float32Array<ArrayBuffer> {
    const bytes = length * FLOAT_BYTES;
    const at = this.#kept.findLastIndex(piece => piece.byteLength >= bytes);
    const piece =
      at === -1
        ? new ArrayBuffer(2 ** Math.ceil(Math.log2(Math.max(bytes, PIECE_BYTES_MIN))))
        : this.#kept.splice(at, 1)[0]!;
    return new Float32Array(piece, 0, length);
  }

  copyOf(data: Float32Array): Float32Array<ArrayBuffer> {
    const copy = this.take(data.length);
    copy.set(data);
    return copy;
  }

  give({ buffer }: Float32Array<ArrayBuffer>): void {
    if (buffer.byteLength > PIECE_BYTES_MAX) return;
    this.#kept.push(buffer);
    // The oldest goes: it may be the smallest, and never fit again.
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }
}
