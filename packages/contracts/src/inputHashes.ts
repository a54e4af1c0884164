import { INPUT_HASH_DIGITS, inputHash } from './identity.ts';
import {
  BLOCK_BYTES,
  blocksOf,
  FourDigests,
  LANE_BYTES,
  LANES,
  PADDED_BYTES_MIN,
  PADDING,
} from './sha256.ts';

/** Longer ones do not fit a lane with what is padded. */
const BYTES_MAX = LANE_BYTES - PADDED_BYTES_MIN;
const WORDS = INPUT_HASH_DIGITS / 8;

/** ASCII digits of a number from 0 to 15. */
const DIGITS = Uint8Array.from(Buffer.from('0123456789abcdef'));

/** Where the digits of one lane's digest belong. */
interface Place {
  into: Uint8Array;
  at: number;
  blocks: number;
}

const NOWHERE = new Uint8Array(0);

/** The hashes that `inputHash` makes, written as ASCII where they belong, once four of them are there or `settle` is called. */
export class InputHashes {
  readonly #four = new FourDigests();
  /** The messages in words of four bytes, the small end first, as in every machine that we run on. */
  readonly #words = new Int32Array(
    this.#four.bytes.buffer,
    this.#four.bytes.byteOffset,
    (LANES * LANE_BYTES) / 4,
  );
  readonly #places = Array.from({ length: LANES }, (): Place => ({ into: NOWHERE, at: 0, blocks: 0 }));
  #taken = 0;

  /**
   * Of the value in `bytes` from `from` to `to`, which is copied.
   * @param into where the digits are written from `at` on, at the latest by `settle`
   */
  add(bytes: Uint8Array, from: number, to: number, into: Uint8Array, at: number): void {
    if (to - from > BYTES_MAX) {
      into.set(Buffer.from(inputHash(bytes.subarray(from, to))), at);
      return;
    }
    const place = this.#places[this.#taken]!;
    place.into = into;
    place.at = at;
    place.blocks = this.#copy(bytes, from, to, this.#taken * LANE_BYTES);
    if (++this.#taken === LANES) this.settle();
  }

  /** Whatever was added has its digits. */
  settle(): void {
    if (this.#taken === 0) return;
    this.#four.digest(this.#places, this.#taken, this.#put);
    for (let lane = 0; lane < this.#taken; lane++) this.#places[lane]!.into = NOWHERE;
    this.#taken = 0;
  }

  /** Writes a message with what is padded, word by word: that takes half of the time. @returns its blocks */
  #copy(bytes: Uint8Array, from: number, to: number, start: number): number {
    const words = this.#words;
    const length = to - from;
    const blocks = blocksOf(length);
    const end = start + blocks * BLOCK_BYTES;
    let next = start >> 2;
    let i = from;
    for (; i + 4 <= to; i += 4)
      words[next++] = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    let last = PADDING << (8 * (to - i));
    for (let k = 0; i + k < to; k++) last |= bytes[i + k]! << (8 * k);
    words[next++] = last;
    while (next < end >> 2) words[next++] = 0;
    this.#four.putLength(length, end);
    return blocks;
  }

  /** Made once: it is handed over for every four. */
  readonly #put = (lane: number): void => {
    const { into, at } = this.#places[lane]!;
    let next = at;
    for (let i = 0; i < WORDS; i++) {
      const word = this.#four.word(i, lane);
      for (let shift = 28; shift >= 0; shift -= 4) into[next++] = DIGITS[(word >>> shift) & 15]!;
    }
  };
}
