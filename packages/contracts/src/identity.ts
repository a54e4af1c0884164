import { hash } from 'node:crypto';

const HEX_DIGITS = 32; // 16 bytes

/**
 * Id of one answer: first 16 bytes in hex of the SHA-256 of the parts in this order, as UTF-8 with a NUL between them.
 * No part but the event id can hold a NUL, so no two different answers are hashed from the same bytes.
 * @param role `answer`, or `shadow:<rollout>`
 * @param run `live`, or the run's id
 * @param seq 0 unless progressive
 */
export const predictionId = (
  pipeline: string,
  eventId: string,
  revision: number,
  run: string,
  role: string,
  seq: number,
): string =>
  hash('sha256', `${pipeline}\0${eventId}\0${revision}\0${run}\0${role}\0${seq}`, 'hex').slice(0, HEX_DIGITS);

const PARTS_BYTES_MAX = 512;

/**
 * The same ids of one pipeline and role, for event ids that are there as bytes: nothing is made a string on the way but
 * the digest. The parts behind the event id seldom change from one answer to the next, and are kept.
 */
export class PredictionIds {
  readonly #head: Uint8Array;
  readonly #role: string;
  readonly #seq: number;
  readonly #scratch = new Uint8Array(PARTS_BYTES_MAX);
  /** The first n bytes of the scratch, by n. */
  readonly #firsts: (Uint8Array | undefined)[] = [];
  #revision = -1;
  #run = '';
  #tail = new Uint8Array(0);

  constructor(pipeline: string, role: string, seq: number) {
    this.#head = Buffer.from(`${pipeline}\0`);
    this.#role = role;
    this.#seq = seq;
    this.#scratch.set(this.#head.subarray(0, PARTS_BYTES_MAX));
  }

  /** @param from,to where the UTF-8 of the event id lies. @returns the digest in hex, whose first 32 digits are the id */
  digest(bytes: Uint8Array, from: number, to: number, revision: number, run: string): string {
    if (revision !== this.#revision || run !== this.#run) {
      this.#revision = revision;
      this.#run = run;
      this.#tail = Buffer.from(`\0${revision}\0${run}\0${this.#role}\0${this.#seq}`);
    }
    const head = this.#head.length;
    const tail = this.#tail;
    const length = head + to - from + tail.length;
    if (length > PARTS_BYTES_MAX)
      return hash('sha256', Buffer.concat([this.#head, bytes.subarray(from, to), tail]), 'hex');
    const into = this.#scratch;
    let next = head;
    for (let i = from; i < to; i++) into[next++] = bytes[i]!;
    for (let i = 0; i < tail.length; i++) into[next++] = tail[i]!;
    return hash('sha256', (this.#firsts[length] ??= into.subarray(0, length)), 'hex');
  }
}

export const PREDICTION_ID_DIGITS = HEX_DIGITS;

/** First 16 bytes in hex of the SHA-256 of an event's value, as it stands on its topic (frame included). */
export const inputHash = (bytes: Uint8Array): string => hash('sha256', bytes, 'hex').slice(0, HEX_DIGITS);
