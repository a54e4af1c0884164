import type { MetricDefinition } from './metrics.ts';

/** Distinct values of one label, and series of one metric, before further ones are counted under `other`. */
export const LABEL_VALUES_MAX = 500;
export const SERIES_MAX = 5_000;
const OTHER = 'other';

/** One series. A histogram counts per bucket (the last one is +Inf), not yet cumulated; the others use `value` alone. */
export interface Cell {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: Float64Array;
  value: number;
}

/** The series of one metric, found by their labels with one look-up, because some are counted per record. */
export class Series {
  readonly definition: MetricDefinition;
  readonly #cells = new Map<string, Cell>();
  readonly #seen: readonly Set<string>[];

  constructor(definition: MetricDefinition) {
    this.definition = definition;
    this.#seen = definition.labels.map(() => new Set());
    // A counter without labels is known from the start, so that its first increase is seen.
    if (definition.labels.length === 0) this.cell({});
  }

  cell(labels: Readonly<Record<string, string>>): Cell {
    const names = this.definition.labels;
    let key = '';
    for (const name of names) key += `${labels[name] ?? ''}\u0000`;
    return this.#cells.get(key) ?? this.#add(names.map(name => labels[name] ?? ''));
  }

  cells(): IterableIterator<Cell> {
    return this.#cells.values();
  }

  #add(wanted: readonly string[]): Cell {
    const full = this.#cells.size >= SERIES_MAX;
    const values = wanted.map((value, at) => {
      const seen = this.#seen[at]!;
      if (seen.has(value) && !full) return value;
      if (full || seen.size >= LABEL_VALUES_MAX) return OTHER;
      seen.add(value);
      return value;
    });
    const key = values.map(value => `${value}\u0000`).join('');
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const { labels, buckets } = this.definition;
    const cell: Cell = {
      labels: Object.fromEntries(labels.map((name, at) => [name, values[at]!])),
      counts: new Float64Array(buckets === undefined ? 0 : buckets.length + 1),
      value: 0,
    };
    this.#cells.set(key, cell);
    return cell;
  }
}

/** Counts one observation: `value` keeps the sum. */
export const observeIn = (cell: Cell, buckets: readonly number[], value: number): void => {
  let at = 0;
  while (at < buckets.length && value > buckets[at]!) at++;
  cell.counts[at]! += 1;
  cell.value += value;
};
