import type { RejectReason, SkipReason } from '../task.ts';
import type { ClosingCode } from './offsets.ts';

// The order is that of the codes, within one process only: nothing stores them.
const SKIPS: readonly SkipReason[] = [
  'duplicate',
  'tombstone',
  'outside-slice',
  'by-rule',
  'applied',
  'other-run',
  'other-set',
];
const REJECTS: readonly RejectReason[] = [
  'bad-frame',
  'unknown-schema',
  'bad-value',
  'too-large',
  'schema-mismatch',
  'wrong-key',
  'feature-mismatch',
  'stale-features',
  'scoring-failed',
  'handler-failed',
  'late',
];

export const DONE: ClosingCode = 1;
const FIRST_SKIP = 2;
const FIRST_REJECT = FIRST_SKIP + SKIPS.length;
const CODES = FIRST_REJECT + REJECTS.length;

export const skipCode = (reason: SkipReason): ClosingCode => FIRST_SKIP + SKIPS.indexOf(reason);
export const rejectCode = (reason: RejectReason): ClosingCode => FIRST_REJECT + REJECTS.indexOf(reason);

const NONE: readonly number[] = Array.from({ length: CODES }, () => 0);

/** How many records of one topic were closed in which way: the closed equation of one commit. */
export class ClosingCounts {
  // There is one for each cut: a typed array costs more to make than all that is counted in it at a low rate.
  readonly #counts = NONE.slice();
  #total = 0;

  add(code: ClosingCode): void {
    this.#counts[code] = this.#counts[code]! + 1;
    this.#total++;
  }

  get done(): number {
    return this.#counts[DONE]!;
  }

  get total(): number {
    return this.#total;
  }

  skipped(): readonly (readonly [SkipReason, number])[] {
    return this.#named(SKIPS, FIRST_SKIP);
  }

  rejected(): readonly (readonly [RejectReason, number])[] {
    return this.#named(REJECTS, FIRST_REJECT);
  }

  #named<R>(reasons: readonly R[], first: number): readonly (readonly [R, number])[] {
    if (this.#total === this.done) return [];
    return reasons
      .map((reason, i) => [reason, this.#counts[first + i]!] as const)
      .filter(([, count]) => count > 0);
  }
}
