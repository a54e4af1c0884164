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

/** Of the values of a label, what is behind each: the cell, or the values of the next label. */
type Level = Map<string, Level | Cell>;

/**
 * The series of one metric, found by the value of one label after the other, because some are counted per record: a key of
 * all of them would be a new text for each look.
 */
export class Series {
  readonly definition: MetricDefinition;
  /** One that nobody gives a value where the metric has none. */
  readonly #names: readonly string[];
  readonly #first: Level = new Map();
  readonly #cells: Cell[] = [];
  readonly #seen: readonly Set<string>[];

  constructor(definition: MetricDefinition) {
    this.definition = definition;
    this.#names = definition.labels.length === 0 ? [''] : definition.labels;
    this.#seen = this.#names.map(() => new Set());
    // A counter without labels is known from the start, so that its first increase is seen.
    if (definition.labels.length === 0) this.cell({});
  }

  cell(labels: Readonly<Record<string, string>>): Cell {
    let found: Level | Cell | undefined = this.#first;
    for (const name of this.#names) {
      found = (found as Level).get(labels[name] ?? '');
      if (found === undefined) return this.#add(this.#names.map(one => labels[one] ?? ''));
    }
    return found as Cell;
  }

  cells(): IterableIterator<Cell> {
    return this.#cells.values();
  }

  #add(wanted: readonly string[]): Cell {
    const full = this.#cells.length >= SERIES_MAX;
    const values = wanted.map((value, at) => {
      const seen = this.#seen[at]!;
      if (seen.has(value) && !full) return value;
      if (full || seen.size >= LABEL_VALUES_MAX) return OTHER;
      seen.add(value);
      return value;
    });
    let level = this.#first;
    for (const value of values.slice(0, -1)) {
      const next = (level.get(value) ?? new Map()) as Level;
      level.set(value, next);
      level = next;
    }
    const last = values.at(-1)!;
    const known = level.get(last) as Cell | undefined;
    if (known !== undefined) return known;
    const { labels, buckets } = this.definition;
    const cell: Cell = {
      labels: Object.fromEntries(labels.map((name, at) => [name, values[at]!])),
      counts: new Float64Array(buckets === undefined ? 0 : buckets.length + 1),
      value: 0,
    };
    level.set(last, cell);
    this.#cells.push(cell);
    return cell;
  }
}

/** Counts a value that was observed so many times: `value` keeps the sum. */
export const observeIn = (cell: Cell, buckets: readonly number[], value: number, times: number): void => {
  let at = 0;
  while (at < buckets.length && value > buckets[at]!) at++;
  cell.counts[at]! += times;
  cell.value += value * times;
};
