/** How bytes of predictions are put together. */

import { type Lent, LentPieces, Pieces } from '@millrace/stream';

/** Twice as much is still a small whole number to V8. */
const SMALL_MAX = 2 ** 29;
const WORD_BYTES = 8;
const HALF_BYTES = 4;
/** Below it words are copied quicker than by the call that copies. */
const WORDS_BYTES_MAX = 256;

/** Bytes, and the same memory as words. */
export interface Source {
  readonly bytes: Uint8Array;
  readonly words: DataView;
}

export const sourceOf = (bytes: Uint8Array): Source => ({
  bytes,
  words: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
});

export const NOTHING = sourceOf(new Uint8Array(0));

/** Memory of predictions that is kept for later ones, bytes at most. */
const KEPT_BYTES_MAX = 16 * 1_048_576;
/** Of all tasks of the process. */
const pieces = new Pieces(KEPT_BYTES_MAX);

/** Room of a few dozen predictions: at a trickle a batch has a few, and memory of its own would cost more than they do. */
const ROOM_BYTES_MIN = 65_536;
const NO_BYTES = Buffer.alloc(0);

/**
 * Where the predictions of one lane are written, those of one batch behind those of the one before. Memory that is full is
 * left, and used again once all that was written in it is acknowledged. Lanes share none: one that stands still would keep
 * the memory of all.
 */
export class Room {
  into: Buffer<ArrayBuffer> = NO_BYTES;
  /** The same. */
  target: Source = NOTHING;
  /** Before it, all is taken. */
  end = 0;
  readonly #memory = new LentPieces(pieces);

  get lent(): Lent {
    return this.#memory.lent;
  }

  has(bytes: number): boolean {
    return this.end + bytes <= this.into.length;
  }

  /** Goes on in other memory, which has so many bytes. */
  renew(bytes: number): void {
    this.into = this.#memory.next(Math.max(bytes, ROOM_BYTES_MIN));
    this.target = sourceOf(this.into);
    this.end = 0;
  }
}

/** Values lie side by side in what was fetched: its bytes are seldom others than before. */
export class Memories {
  #last = NOTHING;

  of(bytes: Uint8Array): Source {
    if (this.#last.bytes !== bytes) this.#last = sourceOf(bytes);
    return this.#last;
  }
}

/** Copies bytes between memories that do not overlap. @returns where they end */
export const copy = (
  { bytes, words }: Source,
  start: number,
  end: number,
  into: Source,
  to: number,
): number => {
  const length = end - start;
  const target = into.words;
  if (length >= WORD_BYTES) {
    if (length > WORDS_BYTES_MAX) into.bytes.set(bytes.subarray(start, end), to);
    else {
      // Whole numbers: compiled, they stay in a register, and unlike floats no pattern of bits is another one's like.
      const last = length - WORD_BYTES;
      for (let i = 0; i < last; i += WORD_BYTES)
        target.setBigInt64(to + i, words.getBigInt64(start + i, true), true);
      // The last word ends where they end, and may have some of the bytes again.
      target.setBigInt64(to + last, words.getBigInt64(start + last, true), true);
    }
  } else if (length >= HALF_BYTES) {
    const last = length - HALF_BYTES;
    target.setInt32(to, words.getInt32(start, true), true);
    target.setInt32(to + last, words.getInt32(start + last, true), true);
  } else for (let i = 0; i < length; i++) into.bytes[to + i] = bytes[start + i]!;
  return to + length;
};

export const copyAll = (source: Source, into: Source, to: number): number =>
  copy(source, 0, source.bytes.length, into, to);

/** Whether these bytes are there. */
export const areSame = ({ bytes, words }: Source, at: number, wanted: Source): boolean => {
  const { length } = wanted.bytes;
  let i = 0;
  for (; i + HALF_BYTES <= length; i += HALF_BYTES)
    if (words.getInt32(at + i) !== wanted.words.getInt32(i)) return false;
  for (; i < length; i++) if (bytes[at + i] !== wanted.bytes[i]) return false;
  return true;
};

/** A whole number from zero to 2^53. */
export const putLong = (into: Buffer, to: number, value: number): number => {
  let next = to;
  if (value <= SMALL_MAX) {
    let small = value << 1;
    for (; small >= 0x80; small >>>= 7) into[next++] = small | 0x80;
    into[next++] = small;
    return next;
  }
  let left = value * 2;
  for (; left >= 0x80; left = Math.floor(left / 0x80)) into[next++] = (left % 0x80) | 0x80;
  into[next++] = left;
  return next;
};

/** Of null or text. */
export const putText = (into: Buffer, to: number, text: string | undefined): number => {
  into[to] = text === undefined ? 0 : 2;
  if (text === undefined) return to + 1;
  const start = putLong(into, to + 1, Buffer.byteLength(text));
  return start + into.write(text, start);
};
