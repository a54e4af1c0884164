import { Lent } from './shared.ts';

/** Smaller ones cost less than the look for them. */
const PIECE_BYTES_MIN = 4_096;
/** A larger one is left to the collector. */
const PIECE_BYTES_MAX = 2 * 1_048_576;
/** Sizes are rounded up to it, so that a piece fits again. */
const STEP_BYTES = 65_536;

/**
 * Memory that is used again: a service at full load would else take new memory for all that it writes, and V8 marks its
 * whole heap after every 64 MB of it. Whoever gives a piece back says that nobody reads it any more; a piece that is not
 * given back is left to the collector, which is always right.
 */
export class Pieces {
  readonly #keptBytesMax: number;
  readonly #kept: Buffer<ArrayBuffer>[] = [];
  #keptBytes = 0;

  /** @param keptBytesMax what is kept for later use, bytes at most */
  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** At least of so many bytes; what it holds is of before. */
  take(bytes: number): Buffer<ArrayBuffer> {
    if (bytes < PIECE_BYTES_MIN || bytes > PIECE_BYTES_MAX) return Buffer.allocUnsafeSlow(bytes);
    const at = this.#kept.findLastIndex(piece => piece.length >= bytes);
    if (at === -1) return Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
    const [piece] = this.#kept.splice(at, 1);
    this.#keptBytes -= piece!.length;
    return piece!;
  }

  /** @param of any view of it */
  give(view: Uint8Array): void {
    const buffer = view.buffer as ArrayBuffer;
    const bytes = buffer.byteLength;
    if (bytes < PIECE_BYTES_MIN || bytes > PIECE_BYTES_MAX) return;
    this.#kept.push(Buffer.from(buffer));
    this.#keptBytes += bytes;
    // The oldest go: they may be small, and never fit again.
    while (this.#keptBytes > this.#keptBytesMax) this.#keptBytes -= this.#kept.shift()!.length;
  }
}

/** Pieces that are written one after the other, each lent to the records that are written in it. */
export class LentPieces {
  readonly #pieces: Pieces;
  #lent: Lent | undefined;

  constructor(pieces: Pieces) {
    this.#pieces = pieces;
  }

  /** Of the piece that is written in. */
  get lent(): Lent {
    return this.#lent!;
  }

  /** Goes on in another piece, of at least so many bytes; the one before is given back once all in it is acknowledged. */
  next(bytes: number): Buffer<ArrayBuffer> {
    const piece = this.#pieces.take(bytes);
    const before = this.#lent;
    this.#lent = new Lent(() => this.#pieces.give(piece));
    // Held until it is left: more may be written in it when all that was is acknowledged.
    this.#lent.add();
    // What was begun in the one before may be moved in the same stretch: nobody writes there until then.
    before?.acknowledged();
    return piece;
  }
}
