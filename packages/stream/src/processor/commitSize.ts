import type { CommitOptions } from './options.ts';

/** What one commit took: until its records were acknowledged, and from there to its end. */
export interface CommitCost {
  /** Closings and outputs. */
  readonly records: number;
  readonly sendMs: number;
  readonly endMs: number;
}

/** A commit grows until its end takes this share of it: beyond that only waiting grows. */
const END_SHARE = 0.1;
/** Smaller than this a commit is not made for the sake of waiting. */
const RECORDS_LEAST = 500;
/** Records that take longer to send than this go into several commits. */
const SEND_MS_MAX = 2_000;
/** Weight of the newest commit in what is remembered of all. */
const NEWEST = 0.1;
/** What gathers while a commit is under way goes with the next, up to this many times the mark; a backlog goes in pieces. */
const CUT_TIMES = 2;

/** Clocks count whole milliseconds: a send may seem to take none. */
const PER_RECORD_MS_LEAST = 1e-4;

/**
 * How much one commit should carry. Its end (offsets, the end of a transaction) costs about the same however much that
 * is, sending costs by the record, and both are known from the commits before. Until then the mark is the most allowed.
 */
export class CommitSize {
  readonly #limits: Pick<CommitOptions, 'recordsMax' | 'bytesMax'>;
  #mean: CommitCost | undefined;
  #recordsMark: number;

  constructor(limits: Pick<CommitOptions, 'recordsMax' | 'bytesMax'>) {
    this.#limits = limits;
    this.#recordsMark = limits.recordsMax;
  }

  /** Gathered records at which to commit without waiting longer. */
  get recordsMark(): number {
    return this.#recordsMark;
  }

  get bytesMark(): number {
    return this.#limits.bytesMax;
  }

  /** Most that one commit may carry, where its work can be divided. */
  get cutMax(): { readonly records: number; readonly bytes: number } {
    return { records: CUT_TIMES * this.#recordsMark, bytes: CUT_TIMES * this.#limits.bytesMax };
  }

  observe(cost: CommitCost): void {
    if (cost.records === 0) return;
    const before = this.#mean ?? cost;
    const mix = (of: keyof CommitCost): number => (1 - NEWEST) * before[of] + NEWEST * cost[of];
    this.#mean = { records: mix('records'), sendMs: mix('sendMs'), endMs: mix('endMs') };
    this.#recordsMark = this.#wanted(this.#mean);
  }

  #wanted({ records, sendMs, endMs }: CommitCost): number {
    const perRecordMs = Math.max(sendMs / records, PER_RECORD_MS_LEAST);
    const worthItsEnd = (endMs * (1 / END_SHARE - 1)) / perRecordMs;
    const inTime = SEND_MS_MAX / perRecordMs;
    const wanted = Math.min(Math.max(worthItsEnd, RECORDS_LEAST), inTime, this.#limits.recordsMax);
    return Math.max(1, Math.floor(wanted));
  }
}
