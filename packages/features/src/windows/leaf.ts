import { Columns, KNOWN_AT, LIVE, OFFSET, PARTITION, REVISION, SEQUENCE, TIME, UNTIL } from './columns.ts';
import type { NewRow, Point } from './row.ts';

const NO_TEXTS: readonly (string | undefined)[] = [];

/**
 * The rows of one stretch of event time, [start, start + 2^level) milliseconds, in order. Counts and sums up to each row
 * are brought up to date when they are next asked for.
 */
export class Leaf extends Columns {
  readonly start: number;
  readonly level: number;
  readonly end: number;
  ids: string[] = [];
  /** By row, where a measure has text; empty else. */
  texts: (readonly (string | undefined)[])[] = [];
  /** Greatest `knownAt` and finite `until`: from then on nothing in here changes. */
  changedAtMax = Number.NEGATIVE_INFINITY;
  /** Changed since its chunk was last written. */
  dirty = false;
  /** Of its chunk, once it was asked for. */
  key: string | undefined;
  /** Its first rows, which are all that its chunk had when it was last encoded; 0 where it had others. */
  written = 0;
  /** Where in its chunk the number of rows stands, in one byte. */
  lengthAt = 0;
  /** Smallest and greatest value of each measure, once asked for and until the next change. */
  private extremes: Float64Array | undefined;

  constructor(start: number, level: number, measures: number) {
    super(measures);
    this.start = start;
    this.level = level;
    this.end = start + 2 ** level;
  }

  holdsTime(time: number): boolean {
    return time >= this.start && time < this.end;
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

  private compare(row: number, p: Point): number {
    const time = this.at(row, TIME);
    if (time !== p.time) return time < p.time ? -1 : 1;
    const sequence = this.at(row, SEQUENCE);
    if (sequence !== p.sequence) return sequence < p.sequence ? -1 : 1;
    const partition = this.at(row, PARTITION);
    if (partition !== p.partition) return partition < p.partition ? -1 : 1;
    const offset = this.at(row, OFFSET);
    return offset === p.offset ? 0 : offset < p.offset ? -1 : 1;
  }

  /** Smallest or greatest value of a measure over the rows that count now, or NaN. */
  extreme(measure: number, which: 'min' | 'max'): number {
    this.extremes ??= this.findExtremes();
    return this.extremes[measure * 2 + (which === 'min' ? 0 : 1)]!;
  }

  /** Puts a row in its place and returns which it is. */
  insert(row: NewRow): number {
    const index = this.rowsThrough(row);
    if (index < this.length) {
      this.ids.splice(index, 0, row.id);
      if (row.texts.length > 0) this.texts.splice(index, 0, row.texts);
    } else {
      this.ids.push(row.id);
      if (row.texts.length > 0) this.texts.push(row.texts);
    }
    this.putRow(index, row);
    this.noteChangeAt(row.knownAt);
    this.noteChangeAt(row.until);
    this.changed(index);
    return index;
  }

  remove(row: number): void {
    this.removeRow(row);
    this.ids.splice(row, 1);
    this.texts.splice(row, 1);
    this.changed(row);
  }

  /** A later revision takes the row's place from `until` on. */
  supersede(row: number, until: number): void {
    this.setUntil(row, until);
    this.noteChangeAt(until);
    this.changed(row);
  }

  /** No more rows are likely to come: what is kept for them is let go. */
  trim(): void {
    if (this.isLoose) this.takeRows(this, 0, this.length);
    this.ids = this.ids.slice();
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
    part.takeRows(this, from, to);
    part.ids = this.ids.slice(from, to);
    part.texts = this.texts.slice(from, to);
    part.dirty = true;
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
    if (row < this.written) this.written = 0;
  }

  private findExtremes(): Float64Array {
    const found = new Float64Array(this.measures * 2).fill(Number.NaN);
    for (let row = 0; row < this.length; row++)
      for (let m = 0; this.countsNow(row) && m < this.measures; m++) {
        const value = this.valueAt(row, m);
        if (!(found[m * 2]! <= value) && !Number.isNaN(value)) found[m * 2] = value;
        if (!(found[m * 2 + 1]! >= value) && !Number.isNaN(value)) found[m * 2 + 1] = value;
      }
    return found;
  }
}

/** Name of a leaf's chunk among those of its timeline. */
export const keyOf = (leaf: Leaf): string => `${leaf.level}:${leaf.start.toString(36)}`;

/** End of the stretch of time that a chunk of this name is for. */
export const endOfChunk = (name: string): number => {
  const [level, start] = name.split(':') as [string, string];
  return Number.parseInt(start, 36) + 2 ** Number(level);
};
