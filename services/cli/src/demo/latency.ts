/** Latencies in whole milliseconds, counted up to a bound; exact percentiles by nearest rank. */
export class Latencies {
  readonly #counts: Uint32Array;
  #total = 0;

  constructor(msMax = 600_000) {
    this.#counts = new Uint32Array(msMax + 1);
  }

  add(ms: number): void {
    this.#counts[Math.min(Math.max(0, Math.round(ms)), this.#counts.length - 1)]!++;
    this.#total++;
  }

  get count(): number {
    return this.#total;
  }

  /** Smallest latency that at least this share of all is at or below; NaN when there is none. */
  percentile(share: number): number {
    if (this.#total === 0) return Number.NaN;
    const rank = Math.max(1, Math.ceil(share * this.#total));
    let seen = 0;
    for (let ms = 0; ms < this.#counts.length; ms++) if ((seen += this.#counts[ms]!) >= rank) return ms;
    return this.#counts.length - 1;
  }
}
