import { Elapsed } from '@millrace/telemetry';
import type { RetryOptions } from './options.ts';

/**
 * Waits between attempts: doubling from the first delay to the longest, each with jitter between a half and the whole.
 * The budget is for attempts in a row; `succeeded` gives it back. Waiting for a world that is absent spends none of it.
 */
export class Backoff {
  readonly #options: RetryOptions;
  readonly #random: () => number;
  #attempts = 0;
  #spent = 0;
  /** Since the first failure in a row. */
  #elapsed = new Elapsed(0);

  constructor(options: RetryOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** Failures since the last success. */
  get attempts(): number {
    return this.#attempts;
  }

  /** @returns milliseconds to wait before the next attempt, or undefined when the budget is spent. */
  failed(nowMs: number): number | undefined {
    const { attemptsMax, totalMsMax } = this.#options;
    if (this.#spent === 0) this.#elapsed = new Elapsed(nowMs);
    this.#spent++;
    const delayMs = this.#nextDelayMs();
    const isOver = this.#spent >= attemptsMax || this.#elapsed.at(nowMs) + delayMs > totalMsMax;
    return isOver ? undefined : delayMs;
  }

  /** The world is absent: the attempt counts for nothing, and the time that went by is given back. */
  absent(nowMs: number): number {
    this.#elapsed = new Elapsed(nowMs);
    return this.#nextDelayMs();
  }

  succeeded(): void {
    this.#attempts = 0;
    this.#spent = 0;
  }

  #nextDelayMs(): number {
    const { delayMsFirst, delayMsMax } = this.#options;
    const longestMs = Math.min(delayMsMax, delayMsFirst * 2 ** Math.min(this.#attempts, 30));
    this.#attempts++;
    return longestMs * (0.5 + this.#random() / 2);
  }
}
