/** Smaller ones cost less than the look for them. */
const KEPT_BYTES_MIN = 16_384;
/** A larger one is left to the collector: few requests are, but where a backlog is worked off. */
const KEPT_BYTES_MAX = 2 * 1_048_576;
const KEPT_MAX = 8;

/**
 * Memory of requests that is used again: a service at full load would else take new memory for all that it sends, and
 * V8 marks its whole heap after every 64 MB of it. A piece may be given back only once the broker has answered the request
 * that was written in it: then it has read all of it, and nobody sends it again. Otherwise it is left to the collector.
 */
export class Pieces {
  readonly #kept: Buffer[] = [];

  /** At least of so many bytes. */
  take(bytes: number): Buffer {
    if (bytes < KEPT_BYTES_MIN || bytes > KEPT_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    const at = this.#kept.findLastIndex(piece => piece.length >= bytes);
    return at === -1
      ? Buffer.allocUnsafeSlow(2 ** Math.ceil(Math.log2(bytes)))
      : this.#kept.splice(at, 1)[0]!;
  }

  /** @param of any view of it */
  give({ buffer }: Buffer): void {
    if (buffer.byteLength < KEPT_BYTES_MIN || buffer.byteLength > KEPT_BYTES_MAX) return;
    this.#kept.push(Buffer.from(buffer));
    // The oldest goes: it may be the smallest, and never fit again.
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
  }
}
