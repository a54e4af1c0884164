import { hash } from 'node:crypto';
import { PREDICTION_ID_DIGITS } from './identity.ts';
import {
  BLOCK_BYTES,
  blocksOf,
  FourDigests,
  LANE_BYTES,
  LANES,
  PADDED_BYTES_MIN,
  PADDING,
} from './sha256.ts';

/** Where the event id of an answer lies, as UTF-8, and what else its id is made of. */
export interface AnswerParts {
  bytes: Uint8Array;
  from: number;
  to: number;
  revision: number;
  run: string;
}

/** Longer ones do not fit a lane with what is padded. */
const PARTS_BYTES_MAX = LANE_BYTES - BLOCK_BYTES - PADDED_BYTES_MIN;
const WORDS = PREDICTION_ID_DIGITS / 8;
const NOTHING = new Uint8Array(0);

/** Of a byte, as two characters that lie side by side. */
const DIGITS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [high, low] = Buffer.from(byte.toString(16).padStart(2, '0'));
  return high! | (low! << 8);
});

/** What a lane has around the event id, from the last message that was written there. */
interface Lane {
  /** Each writer's own, so what is before the id is known by it, too. */
  tail: Uint8Array;
  length: number;
  row: number;
  blocks: number;
}

let four: FourDigests | undefined;
const lanes = Array.from({ length: LANES }, (): Lane => ({ tail: NOTHING, length: 0, row: 0, blocks: 0 })); // prettier-ignore

/**
 * The ids that `predictionId` makes, of one pipeline and role, for the answers of a batch: event ids are there as bytes,
 * and nothing is made a string. The parts behind the event id seldom change from one answer to the next, and are kept.
 */
export class PredictionIds {
  readonly #head: Uint8Array;
  readonly #role: string;
  readonly #seq: number;
  #revision = -1;
  #run = '';
  #tail: Uint8Array = NOTHING;
  #digits = new Uint8Array(0);
  #pairs = new Uint16Array(0);

  constructor(pipeline: string, role: string, seq: number) {
    this.#head = Buffer.from(`${pipeline}\0`);
    this.#role = role;
    this.#seq = seq;
  }

  /**
   * @param tell says of what the id of an answer is made
   * @returns `PREDICTION_ID_DIGITS` ASCII characters for each, side by side; they stay until the next call
   */
  of(answers: number, tell: (row: number, parts: AnswerParts) => void): Uint8Array {
    four ??= new FourDigests();
    if (this.#digits.length < answers * PREDICTION_ID_DIGITS) {
      this.#digits = new Uint8Array(answers * PREDICTION_ID_DIGITS);
      this.#pairs = new Uint16Array(this.#digits.buffer);
    }
    const parts: AnswerParts = { bytes: NOTHING, from: 0, to: 0, revision: 0, run: '' };
    let taken = 0;
    for (let row = 0; row < answers; row++) {
      tell(row, parts);
      const tail = this.#tailOf(parts);
      const length = this.#head.length + parts.to - parts.from + tail.length;
      if (length > PARTS_BYTES_MAX) this.#putLong(row, parts, tail);
      else {
        this.#write(four, taken, parts, tail, length);
        lanes[taken++]!.row = row;
        if (taken < LANES) continue;
        four.digest(lanes, taken, this.#put);
        taken = 0;
      }
    }
    if (taken > 0) four.digest(lanes, taken, this.#put);
    return this.#digits;
  }

  #tailOf({ revision, run }: AnswerParts): Uint8Array {
    if (revision !== this.#revision || run !== this.#run) {
      this.#revision = revision;
      this.#run = run;
      this.#tail = Buffer.from(`\0${revision}\0${run}\0${this.#role}\0${this.#seq}`);
    }
    return this.#tail;
  }

  #write(of: FourDigests, n: number, parts: AnswerParts, tail: Uint8Array, length: number): void {
    const { bytes: into } = of;
    const lane = lanes[n]!;
    const head = this.#head;
    const start = n * LANE_BYTES;
    const { bytes, from, to } = parts;
    lane.blocks = blocksOf(length);
    if (lane.tail !== tail || lane.length !== length) {
      lane.tail = tail;
      lane.length = length;
      const end = start + lane.blocks * BLOCK_BYTES;
      into.fill(0, start, end);
      into.set(head, start);
      into.set(tail, start + length - tail.length);
      into[start + length] = PADDING;
      of.putLength(length, end);
    }
    const at = start + head.length - from;
    for (let i = from; i < to; i++) into[at + i] = bytes[i]!;
  }

  /** Made once: it is handed over for every four. */
  readonly #put = (lane: number): void => {
    const pairs = this.#pairs;
    let next = (lanes[lane]!.row * PREDICTION_ID_DIGITS) / 2;
    for (let i = 0; i < WORDS; i++) {
      const word = four!.word(i, lane);
      pairs[next++] = DIGITS[word >>> 24]!;
      pairs[next++] = DIGITS[(word >>> 16) & 0xff]!;
      pairs[next++] = DIGITS[(word >>> 8) & 0xff]!;
      pairs[next++] = DIGITS[word & 0xff]!;
    }
  };

  #putLong(row: number, { bytes, from, to }: AnswerParts, tail: Uint8Array): void {
    const digest = hash('sha256', Buffer.concat([this.#head, bytes.subarray(from, to), tail]), 'hex');
    this.#digits.set(Buffer.from(digest.slice(0, PREDICTION_ID_DIGITS)), row * PREDICTION_ID_DIGITS);
  }
}
