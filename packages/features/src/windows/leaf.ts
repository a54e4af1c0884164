import type { NewRow, Point } from './row.ts';

/** Columns of a row before those of the measures. */
export const TIME = 0;
export const SEQUENCE = 1;
export const PARTITION = 2;
export const OFFSET = 3;
export const REVISION = 4;
/** When it became known; minus infinity for events. */
export const KNOWN_AT = 5;
/** When a higher revision became known in its place; infinity while none has. */
export const UNTIL = 6;
/** 1, or 0 for a revision that withdraws: it is only remembered. */
export const LIVE = 7;
const HEAD = 8;
/** Columns of each measure: its value, and count and sum of it over the rows up to here. */
export const VALUE = 0;
export const COUNT = 1;
export const SUM = 2;
const PER_MEASURE = 3;

export type TotalsColumn = typeof COUNT | typeof SUM;
/** Where the count or the sum of a measure stands among totals of all measures. */
export const totalsAt = (measure: number, column: TotalsColumn): number => measure * 2 + column - COUNT;

const NO_TEXTS: readonly (string | undefined)[] = [];

/** The chunk of a leaf's first rows. */
export interface WrittenChunk {
  readonly bytes: Uint8Array;
  readonly rows: number;
  /** Where the number of rows stands, which is one byte. */
  readonly lengthAt: number;
}

/**
 * The rows of one stretch of event time, [start, start + 2^level) milliseconds, in order. Counts and sums up to each row
 * are brought up to date when they are next asked for.
 */
export class Leaf {
  readonly start: number;
  readonly level: number;
  readonly measures: number;
  readonly width: number;
  length = 0;
  /** Row after row; a plain array of doubles is cheaper to make and to let go than a typed one of this size. */
  private rows: number[] = [];
  ids: string[] = [];
  /** By row, where a measure has text; empty else. */
  texts: (readonly (string | undefined)[])[] = [];
  /** Greatest `knownAt` and finite `until`: from then on nothing in here changes. */
  changedAtMax = Number.NEGATIVE_INFINITY;
  /** Changed since its chunk was last written. */
  dirty = false;
  private summed = 0;
  /** Its chunk as it was last written; undefined where that is not the beginning of what it is now. */
  written: WrittenChunk | undefined;
  /** Smallest and greatest value of each measure, once asked for and until the next change. */
  private extremes: Float64Array | undefined;

  constructor(start: number, level: number, measures: number) {
    this.start = start;
    this.level = level;
    this.measures = measures;
    this.width = HEAD + measures * PER_MEASURE;
  }

  get end(): number {
    return this.start + 2 ** this.level;
  }

  at(row: number, column: number): number {
    return this.rows[row * this.width + column]!;
  }

  valueAt(row: number, measure: number): number {
    return this.rows[row * this.width + HEAD + measure * PER_MEASURE + VALUE]!;
  }

  /** Count or sum of a measure over the first `rows` rows. */
  upTo(rows: number, measure: number, column: TotalsColumn): number {
    if (rows === 0) return 0;
    if (this.summed < rows) this.addUp();
    return this.rows[(rows - 1) * this.width + HEAD + measure * PER_MEASURE + column]!;
  }

  /** Adds (1) to totals of all measures those of the first `rows` rows, or takes them away (-1). */
  addTo(totals: number[], rows: number, by: 1 | -1): void {
    if (rows === 0) return;
    if (this.summed < rows) this.addUp();
    let at = (rows - 1) * this.width + HEAD;
    for (let i = 0; i < 2 * this.measures; i += 2, at += PER_MEASURE) {
      totals[i]! += by * this.rows[at + COUNT]!;
      totals[i + 1]! += by * this.rows[at + SUM]!;
    }
  }

  /** Whether a row counts now: not withdrawn, and no later revision in its place. */
  counts(row: number): boolean {
    return this.at(row, LIVE) === 1 && this.at(row, UNTIL) === Number.POSITIVE_INFINITY;
  }

  /** Whether a row counted at a time. */
  countedAt(row: number, time: number): boolean {
    return this.at(row, LIVE) === 1 && this.at(row, KNOWN_AT) <= time && time < this.at(row, UNTIL);
  }

  /** Number of rows at or before a point. */
  rowsThrough(p: Point): number {
    let low = 0;
    let high = this.length;
    // In order, the answer is mostly the end.
    if (high > 0 && this.compare(high - 1, p) <= 0) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.compare(middle, p) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Number of rows at or before a time. */
  rowsThroughTime(time: number): number {
    const { rows, width } = this;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rows[middle * width]! <= time) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private compare(row: number, p: Point): number {
    const { rows } = this;
    const at = row * this.width;
    const time = rows[at]!;
    if (time !== p.time) return time < p.time ? -1 : 1;
    const sequence = rows[at + SEQUENCE]!;
    if (sequence !== p.sequence) return sequence < p.sequence ? -1 : 1;
    const partition = rows[at + PARTITION]!;
    if (partition !== p.partition) return partition < p.partition ? -1 : 1;
    const offset = rows[at + OFFSET]!;
    return offset === p.offset ? 0 : offset < p.offset ? -1 : 1;
  }

  /** Smallest or greatest value of a measure over the rows that count now, or NaN. */
  extreme(measure: number, which: 'min' | 'max'): number {
    this.extremes ??= this.findExtremes();
    return this.extremes[measure * 2 + (which === 'min' ? 0 : 1)]!;
  }

  /** Puts a row in its place and returns which it is. */
  insert(row: NewRow): number {
    const { rows, width } = this;
    const index = this.rowsThrough(row);
    const at = index * width;
    // In order the row is appended value by value; else the rows behind it move up first.
    if (index < this.length) {
      const end = this.length * width;
      for (let i = end - width; i < end; i++) rows.push(rows[i]!);
      // Of a plain array `copyWithin` is many times slower.
      for (let i = end - 1; i >= at + width; i--) rows[i] = rows[i - width]!;
      this.ids.splice(index, 0, row.id);
      if (row.texts.length > 0) this.texts.splice(index, 0, row.texts);
    } else {
      this.ids.push(row.id);
      if (row.texts.length > 0) this.texts.push(row.texts);
    }
    rows[at + TIME] = row.time;
    rows[at + SEQUENCE] = row.sequence;
    rows[at + PARTITION] = row.partition;
    rows[at + OFFSET] = row.offset;
    rows[at + REVISION] = row.revision;
    rows[at + KNOWN_AT] = row.knownAt;
    rows[at + UNTIL] = row.until;
    rows[at + LIVE] = row.live ? 1 : 0;
    for (let m = 0, to = at + HEAD; m < this.measures; m++, to += PER_MEASURE) {
      rows[to + VALUE] = row.numbers[m]!;
      rows[to + COUNT] = 0;
      rows[to + SUM] = 0;
    }
    this.length++;
    this.noteChangeAt(row.knownAt);
    this.noteChangeAt(row.until);
    this.changed(index);
    return index;
  }

  remove(row: number): void {
    this.rows.splice(row * this.width, this.width);
    this.ids.splice(row, 1);
    this.texts.splice(row, 1);
    this.length--;
    this.changed(row);
  }

  /** A later revision takes the row's place from `until` on. */
  supersede(row: number, until: number): void {
    this.rows[row * this.width + UNTIL] = until;
    this.noteChangeAt(until);
    this.changed(row);
  }

  /** Its rows in two leaves, each of half its time. */
  halves(): readonly [Leaf, Leaf] {
    const level = this.level - 1;
    const middle = this.start + 2 ** level;
    const before = this.rowsThroughTime(middle - 1);
    return [this.part(this.start, level, 0, before), this.part(middle, level, before, this.length)];
  }

  private part(start: number, level: number, from: number, to: number): Leaf {
    const part = new Leaf(start, level, this.measures);
    part.rows = this.rows.slice(from * this.width, to * this.width);
    part.ids = this.ids.slice(from, to);
    part.texts = this.texts.slice(from, to);
    part.length = to - from;
    part.dirty = true;
    if (from === 0) part.summed = Math.min(this.summed, to);
    for (let row = 0; row < part.length; row++) {
      part.noteChangeAt(part.at(row, KNOWN_AT));
      part.noteChangeAt(part.at(row, UNTIL));
    }
    return part;
  }

  /** The row as `insert` takes it: for listeners. */
  rowAt(row: number): NewRow {
    return {
      time: this.at(row, TIME),
      sequence: this.at(row, SEQUENCE),
      partition: this.at(row, PARTITION),
      offset: this.at(row, OFFSET),
      id: this.ids[row]!,
      texts: this.texts[row] ?? NO_TEXTS,
      revision: this.at(row, REVISION),
      knownAt: this.at(row, KNOWN_AT),
      until: this.at(row, UNTIL),
      live: this.at(row, LIVE) === 1,
      numbers: Array.from({ length: this.measures }, (_, m) => this.valueAt(row, m)),
    };
  }

  private noteChangeAt(time: number): void {
    if (time !== Number.POSITIVE_INFINITY && time > this.changedAtMax) this.changedAtMax = time;
  }

  private changed(row: number): void {
    this.dirty = true;
    this.extremes = undefined;
    if (this.written !== undefined && row < this.written.rows) this.written = undefined;
    if (row < this.summed) this.summed = row;
  }

  private findExtremes(): Float64Array {
    const found = new Float64Array(this.measures * 2).fill(Number.NaN);
    for (let row = 0; row < this.length; row++)
      for (let m = 0; this.counts(row) && m < this.measures; m++) {
        const value = this.valueAt(row, m);
        if (!(found[m * 2]! <= value) && !Number.isNaN(value)) found[m * 2] = value;
        if (!(found[m * 2 + 1]! >= value) && !Number.isNaN(value)) found[m * 2 + 1] = value;
      }
    return found;
  }

  private addUp(): void {
    const { rows, width } = this;
    for (let row = this.summed; row < this.length; row++) {
      const counts = this.counts(row);
      for (let m = 0; m < this.measures; m++) {
        const at = row * width + HEAD + m * PER_MEASURE;
        const value = rows[at]!;
        const counted = counts && !Number.isNaN(value);
        rows[at + COUNT] = (row === 0 ? 0 : rows[at - width + COUNT]!) + (counted ? 1 : 0);
        rows[at + SUM] = (row === 0 ? 0 : rows[at - width + SUM]!) + (counted ? value : 0);
      }
    }
    this.summed = this.length;
  }
}

/** Name of a leaf's chunk among those of its timeline. */
export const keyOf = (leaf: Leaf): string => `${leaf.level}:${leaf.start.toString(36)}`;

/** End of the stretch of time that a chunk of this name is for. */
export const endOfChunk = (name: string): number => {
  const [level, start] = name.split(':') as [string, string];
  return Number.parseInt(start, 36) + 2 ** Number(level);
};
