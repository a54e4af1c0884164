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

/** The greatest examples of each outcome and cause: what a reader looks at first, bounded however many there are. */
export class Examples<T> {
  readonly #kept = new Map<string, Greatest<T>>();
  readonly #max: number;
  readonly #compare: (a: T, b: T) => number;

  /** @param max of each outcome */
  constructor(max: number, compare: (a: T, b: T) => number) {
    this.#max = max;
    this.#compare = compare;
  }

  add(outcome: string, cause: string, example: T): void {
    const kind = `${outcome} ${cause}`;
    const greatest = this.#kept.get(kind) ?? new Greatest<T>(this.#max, this.#compare);
    this.#kept.set(kind, greatest);
    greatest.add(example);
  }

  /** The greatest of an outcome, and at least one of each of its causes. */
  of(outcome: string): readonly T[] {
    const kept = [...this.#kept]
      .filter(([kind]) => kind.startsWith(`${outcome} `))
      .map(([, greatest]) => greatest.sorted());
    const first = kept.map(([one]) => one!);
    const rest = kept.flatMap(some => some.slice(1)).sort(this.#compare);
    return [...first, ...rest.slice(0, Math.max(0, this.#max - first.length))].sort(this.#compare);
  }
}
