import type { Clock } from '@millrace/telemetry';

/** Records due within this time go together, so that slow rates have no transaction for each. */
const TICK_MS = 200;

/** Keeps to a number of records a second. Time that was lost is not made up for: who reads them never gets more. */
export class Pace {
  readonly #rate: number | undefined;
  readonly #clock: Clock;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** @param rate records a second; without it as fast as they are taken */
  constructor(rate: number | undefined, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
  }

  /** Counts one record, and resolves when it may go. @param waits called before it has to wait */
  async turn(waits: () => Promise<void>, signal: AbortSignal): Promise<void> {
    if (this.#rate === undefined) return;
    const dueMs = Math.max(this.#nextMs, this.#clock.now());
    this.#nextMs = dueMs + 1000 / this.#rate;
    if (dueMs - this.#clock.now() <= TICK_MS) return;
    await waits();
    const leftMs = dueMs - this.#clock.now();
    if (leftMs > 0) await this.#clock.sleep(leftMs, signal);
  }
}
