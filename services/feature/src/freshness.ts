import type { Clock, Metrics } from '@millrace/telemetry';

/** How old the newest event of each stream is, over all tasks of this process. */
export class Freshness {
  readonly #pipeline: string;
  readonly #clock: Clock;
  readonly #metrics: Metrics;
  readonly #newest = new Map<string, number>();

  constructor(pipeline: string, clock: Clock, metrics: Metrics) {
    this.#pipeline = pipeline;
    this.#clock = clock;
    this.#metrics = metrics;
  }

  /** An event of this time (milliseconds since the epoch) was read. */
  seen(stream: string, timeMs: number): void {
    const newest = this.#newest.get(stream);
    if (newest === undefined || timeMs > newest) this.#newest.set(stream, timeMs);
  }

  report(): void {
    const nowMs = this.#clock.now();
    for (const [stream, timeMs] of this.#newest)
      this.#metrics.set(
        'millrace_freshness_seconds',
        { pipeline: this.#pipeline, stream },
        (nowMs - timeMs) / 1000,
      );
  }
}
