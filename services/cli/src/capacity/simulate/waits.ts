/** How long records waited: counts in buckets that are 1 % wide, from a microsecond on. */
const WIDTH = Math.log(1.01);
const LEAST_MS = 1e-3;

export class Waits {
  readonly #counts: number[] = [];
  #total = 0;
  #sumMs = 0;
  #mostMs = 0;

  add(waitMs: number, count: number): void {
    const bucket = waitMs <= LEAST_MS ? 0 : Math.ceil(Math.log(waitMs / LEAST_MS) / WIDTH);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    this.#total += count;
    this.#sumMs += waitMs * count;
    this.#mostMs = Math.max(this.#mostMs, waitMs);
  }

  get meanMs(): number {
    return this.#total === 0 ? Number.NaN : this.#sumMs / this.#total;
  }

  get mostMs(): number {
    return this.#mostMs;
  }

  /** Upper end of the bucket in which it lies, so at most 1 % too much. NaN where nothing was counted. */
  quantileMs(q: number): number {
    let seen = 0;
    for (const [bucket, count] of this.#counts.entries()) {
      seen += count ?? 0;
      if (seen > 0 && seen >= q * this.#total)
        return Math.min(this.#mostMs, LEAST_MS * Math.exp(bucket * WIDTH));
    }
    return this.#mostMs === 0 && this.#total === 0 ? Number.NaN : this.#mostMs;
  }
}
