import type { RetryOptions } from './options.ts';

/**
 * Waits between attempts: doubling from the first delay to the longest, each with jitter between a half and the whole.
 * The budget is for attempts in a row; `succeeded` gives it back.
 */
export class Backoff {
  readonly #options: RetryOptions;
  readonly #random: () => number;
  #attempts = 0;
  #firstAtMs = 0;

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
    const { attemptsMax, delayMsFirst, delayMsMax, totalMsMax } = this.#options;
    if (this.#attempts === 0) this.#firstAtMs = nowMs;
    this.#attempts++;
    const delayMs = this.#longestDelayMs(delayMsFirst, delayMsMax) * (0.5 + this.#random() / 2);
    const spent = this.#attempts >= attemptsMax || nowMs + delayMs - this.#firstAtMs > totalMsMax;
    return spent ? undefined : delayMs;
  }

  succeeded(): void {
    this.#attempts = 0;
  }

  #longestDelayMs(first: number, max: number): number {
    return Math.min(max, first * 2 ** Math.min(this.#attempts - 1, 30));
  }
}
