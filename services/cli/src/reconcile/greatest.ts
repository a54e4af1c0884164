/** The `max` that come first by an order, whatever the order in which they come. */
export class Greatest<T> {
  #kept: T[] = [];
  readonly #max: number;
  readonly #compare: (a: T, b: T) => number;

  constructor(max: number, compare: (a: T, b: T) => number) {
    this.#max = max;
    this.#compare = compare;
  }

  add(one: T): void {
    this.#kept.push(one);
    if (this.#kept.length >= 2 * this.#max) this.#kept = this.sorted();
  }

  sorted(): T[] {
    return this.#kept.sort(this.#compare).slice(0, this.#max);
  }
}
