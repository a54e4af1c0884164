/** Vectors that were served beside those that were expected, by the number of their payment. Pure. */

/** Two values are the same within this of their size, or of 1 where they are smaller. */
const TOLERANCE = 1e-6;

export const isSame = (a: number, b: number): boolean =>
  Number.isNaN(a) ? Number.isNaN(b) : Math.abs(a - b) <= TOLERANCE * Math.max(1, Math.abs(b));

export interface SheetAccount {
  readonly answers: number;
  readonly missing: number;
  readonly doubled: number;
  /** Of no payment that was asked for. */
  readonly foreign: number;
  readonly wrongVectors: number;
  /** Vectors that differ in values alone which depend on the order in which events of several keys came. */
  readonly otherOrder: number;
}

export interface SheetOptions {
  readonly names: readonly string[];
  /** Payments `from` to `to` (exclusive) should each have one vector. */
  readonly from: number;
  readonly to: number;
  /** Values that depend on the order in which events of several keys came; none without it. */
  readonly ordered?: ReadonlySet<string>;
}

export class Sheet {
  readonly #options: SheetOptions;
  readonly #seen: Uint8Array;
  readonly #rows: Float32Array;
  readonly #counts = { answers: 0, doubled: 0, foreign: 0 };

  constructor(options: SheetOptions) {
    const { names, from, to } = options;
    this.#options = options;
    this.#seen = new Uint8Array(to - from);
    this.#rows = new Float32Array((to - from) * names.length);
  }

  /** Null is missing, as NaN is. Returns whether it is the first of one that was asked for. */
  add(payment: number, values: Readonly<Record<string, number | null>>): boolean {
    const { names, from, to } = this.#options;
    this.#counts.answers++;
    const row = payment - from;
    if (payment < from || payment >= to) this.#counts.foreign++;
    else if (this.#seen[row] === 1) this.#counts.doubled++;
    else {
      this.#seen[row] = 1;
      names.forEach((name, i) => (this.#rows[row * names.length + i] = values[name] ?? Number.NaN));
      return true;
    }
    return false;
  }

  /** Row by row; of one that is missing there are zeros. */
  get rows(): Float32Array {
    return this.#rows;
  }

  /** Whether there is a vector of the payment in this row. */
  has(row: number): boolean {
    return this.#seen[row] === 1;
  }

  account(expected: Float32Array): SheetAccount {
    const { names, ordered } = this.#options;
    const [sure, free] = [[] as number[], [] as number[]];
    names.forEach((name, i) => (ordered?.has(name) ? free : sure).push(i));
    let [missing, wrongVectors, otherOrder] = [0, 0, 0];
    for (let row = 0; row < this.#seen.length; row++) {
      const at = row * names.length;
      const agrees = (i: number): boolean => isSame(this.#rows[at + i]!, expected[at + i]!);
      if (!this.has(row)) missing++;
      else if (!sure.every(agrees)) wrongVectors++;
      else if (!free.every(agrees)) otherOrder++;
    }
    return { ...this.#counts, missing, wrongVectors, otherOrder };
  }
}
