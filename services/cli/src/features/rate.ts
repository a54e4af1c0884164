/** How quickly a number goes down, over the last while. */
export class Rate {
  readonly #windowMs: number;
  readonly #samples: { readonly atMs: number; readonly done: number }[] = [];

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  add(atMs: number, done: number): void {
    this.#samples.push({ atMs, done });
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= atMs - this.#windowMs) this.#samples.shift();
  }

  /** A second; undefined while nothing can be said. */
  get perSecond(): number | undefined {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
    return (1000 * (last.done - first.done)) / (last.atMs - first.atMs);
  }
}
