import { INPUT_HASH_DIGITS, inputHash } from './identity.ts';
import { BLOCK_BYTES, FourDigests, LANE_BYTES, LANES } from './sha256.ts';

/** Longer ones do not fit a lane with what is padded: a byte, and the length. */
const PADDED_BYTES_MIN = 9;
const BYTES_MAX = LANE_BYTES - PADDED_BYTES_MIN;
const WORDS = INPUT_HASH_DIGITS / 8;
const END = 0x80;

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
    let left = this.#taken;
    if (left === 0) return;
    this.#four.begin();
    for (let n = 0; left > 0; n++) {
      this.#four.compress(n);
      for (let lane = 0; lane < this.#taken; lane++)
        if (this.#places[lane]!.blocks === n + 1) {
          this.#put(lane);
          left--;
        }
    }
    for (let lane = 0; lane < this.#taken; lane++) this.#places[lane]!.into = NOWHERE;
    this.#taken = 0;
  }

  /** Writes a message with what is padded. @returns its blocks */
  #copy(bytes: Uint8Array, from: number, to: number, start: number): number {
    const lanes = this.#four.bytes;
    const length = to - from;
    const blocks = Math.ceil((length + PADDED_BYTES_MIN) / BLOCK_BYTES);
    const end = start + blocks * BLOCK_BYTES;
    let next = start;
    for (let i = from; i < to; i++) lanes[next++] = bytes[i]!;
    lanes[next++] = END;
    // The length in bits, of which two bytes are enough.
    while (next < end - 2) lanes[next++] = 0;
    lanes[end - 2] = length >> 5;
    lanes[end - 1] = length << 3;
    return blocks;
  }

  #put(lane: number): void {
    const { into, at } = this.#places[lane]!;
    let next = at;
    for (let i = 0; i < WORDS; i++) {
      const word = this.#four.word(i, lane);
      for (let shift = 28; shift >= 0; shift -= 4) into[next++] = DIGITS[(word >>> shift) & 15]!;
    }
  }
}
