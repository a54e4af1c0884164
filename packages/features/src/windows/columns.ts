import type { NewRow } from './row.ts';

/** Columns that every row has. */
export const TIME = 0;
export const SEQUENCE = 1;
export const OFFSET = 2;
const HEAD = 3;
/** Columns that say the same in nearly every row, and are kept from the first one on that says something else. */
export const PARTITION = 3;
export const REVISION = 4;
/** When it became known; minus infinity for events. */
export const KNOWN_AT = 5;
/** When a higher revision became known in its place; infinity while none has. */
export const UNTIL = 6;
/** 1, or 0 for a revision that withdraws: it is only remembered. */
export const LIVE = 7;
const RARE = 5;
/** What is said of an event as nearly all are, by column; the partition is that of the first row. */
const PLAIN = [0, 0, 0, 0, 0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1] as const;
/** Of each measure but the first, which is 1 in every row: its value, and the sum of it over the rows up to here. */
const VALUE = 0;
const OWN_SUM = 1;
const PER_MEASURE = 2;

export const COUNT = 1;
export const SUM = 2;
export type TotalsColumn = typeof COUNT | typeof SUM;
/** Where the count or the sum of a measure stands among totals of all measures. */
export const totalsAt = (measure: number, column: TotalsColumn): number => measure * 2 + column - COUNT;

/**
 * Rows as numbers, side by side. There is one for each event that a window may still ask for, so what they take decides
 * what state takes in memory: what can be told from the row's place or is the same in all of them is not kept.
 */
export class Columns {
  readonly measures: number;
  length = 0;
  private readonly width: number;
  /**
   * Row after row, with room for more behind them; a plain array of doubles is cheaper to make and to let go than a typed
   * one of this size, and one that V8 lets grow value by value leaves three times as much behind.
   */
  private rows: number[] = [];
  /** The rare columns, row after row; undefined while all rows are plain. */
  private rare: number[] | undefined;
  private partition = 0;
  /** By row and measure, over the rows up to here; undefined where all rows count with all measures. */
  private counts: number[] | undefined;
  private summed = 0;

  constructor(measures: number) {
    this.measures = measures;
    this.width = HEAD + (measures - 1) * PER_MEASURE;
  }

  at(row: number, column: number): number {
    return column < HEAD ? this.rows[row * this.width + column]! : this.rareAt(row, column);
  }

  private rareAt(row: number, column: number): number {
    if (this.rare !== undefined) return this.rare[row * RARE + column - HEAD]!;
    return column === PARTITION ? this.partition : PLAIN[column]!;
  }

  valueAt(row: number, measure: number): number {
    return measure === 0 ? 1 : this.rows[row * this.width + HEAD + (measure - 1) * PER_MEASURE + VALUE]!;
  }

  /** Count or sum of a measure over the first `rows` rows. */
  upTo(rows: number, measure: number, column: TotalsColumn): number {
    if (rows === 0) return 0;
    if (this.summed < rows) this.addUp();
    const { counts } = this;
    if (column === COUNT || measure === 0)
      return counts === undefined ? rows : counts[(rows - 1) * this.measures + measure]!;
    return this.rows[(rows - 1) * this.width + HEAD + (measure - 1) * PER_MEASURE + OWN_SUM]!;
  }

  /** Adds (1) to totals of all measures those of the first `rows` rows, or takes them away (-1). */
  addTo(totals: Float64Array, rows: number, by: 1 | -1): void {
    if (rows === 0) return;
    if (this.summed < rows) this.addUp();
    const { counts, measures } = this;
    const counted = (rows - 1) * measures;
    let at = (rows - 1) * this.width + HEAD + OWN_SUM;
    let count = counts === undefined ? rows : counts[counted]!;
    totals[0]! += by * count;
    totals[1]! += by * count;
    for (let m = 1; m < measures; m++, at += PER_MEASURE) {
      if (counts !== undefined) count = counts[counted + m]!;
      totals[2 * m]! += by * count;
      totals[2 * m + 1]! += by * this.rows[at]!;
    }
  }

  /** Whether a row counts now: not withdrawn, and no later revision in its place. */
  countsNow(row: number): boolean {
    return (
      this.rare === undefined ||
      (this.rareAt(row, LIVE) === 1 && this.rareAt(row, UNTIL) === Number.POSITIVE_INFINITY)
    );
  }

  /** Whether a row counted at a time. */
  countedAt(row: number, time: number): boolean {
    return (
      this.rare === undefined ||
      (this.rareAt(row, LIVE) === 1 && this.rareAt(row, KNOWN_AT) <= time && time < this.rareAt(row, UNTIL))
    );
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

  protected putRow(index: number, row: NewRow): void {
    const { width } = this;
    const at = index * width;
    const end = this.length * width;
    if (this.rows.length === end) this.rows = withRoom(this.rows, roomFor(this.length + 1) * width);
    const { rows } = this;
    // Of a plain array `copyWithin` is many times slower.
    for (let i = end - 1; i >= at; i--) rows[i + width] = rows[i]!;
    rows[at + TIME] = row.time;
    rows[at + SEQUENCE] = row.sequence;
    rows[at + OFFSET] = row.offset;
    let isFull = true;
    for (let m = 1, to = at + HEAD; m < this.measures; m++, to += PER_MEASURE) {
      const value = row.numbers[m]!;
      rows[to + VALUE] = value;
      rows[to + OWN_SUM] = 0;
      if (Number.isNaN(value)) isFull = false;
    }
    if (this.length === 0 && this.rare === undefined) this.partition = row.partition;
    if (this.rare !== undefined || !this.isPlain(row)) {
      this.putRare(index, row);
      isFull = false;
    }
    this.length++;
    if (!isFull && this.counts === undefined) this.countAnew();
    this.changedFrom(index);
  }

  private isPlain({ partition, revision, knownAt, until, live }: NewRow): boolean {
    return (
      revision === PLAIN[REVISION] &&
      live &&
      until === PLAIN[UNTIL] &&
      knownAt === PLAIN[KNOWN_AT] &&
      partition === this.partition
    );
  }

  private putRare(index: number, row: NewRow): void {
    const rare = this.rareColumns();
    if (index < this.length) makeRoom(rare, index * RARE, RARE);
    const at = index * RARE - HEAD;
    rare[at + PARTITION] = row.partition;
    rare[at + REVISION] = row.revision;
    rare[at + KNOWN_AT] = row.knownAt;
    rare[at + UNTIL] = row.until;
    rare[at + LIVE] = row.live ? 1 : 0;
  }

  /** From now on all rows have them. */
  private rareColumns(): number[] {
    if (this.rare !== undefined) return this.rare;
    const rare: number[] = [];
    for (let row = 0; row < this.length; row++)
      rare.push(this.partition, PLAIN[REVISION], PLAIN[KNOWN_AT], PLAIN[UNTIL], PLAIN[LIVE]);
    return (this.rare = rare);
  }

  protected setUntil(row: number, until: number): void {
    this.rareColumns()[row * RARE + UNTIL - HEAD] = until;
    if (this.counts === undefined) this.countAnew();
    this.changedFrom(row);
  }

  protected removeRow(row: number): void {
    const { rows, width } = this;
    for (let i = row * width; i < (this.length - 1) * width; i++) rows[i] = rows[i + width]!;
    this.rare?.splice(row * RARE, RARE);
    this.length--;
    this.changedFrom(row);
  }

  /** Whether more than half of what its rows take is room for more. */
  protected get isLoose(): boolean {
    return this.rows.length > 2 * this.length * this.width;
  }

  /** As rows of another, without room for more: what goes on grows again. */
  protected takeRows(from: Columns, first: number, end: number): void {
    this.rows = from.rows.slice(first * this.width, end * this.width);
    this.rare = from.rare?.slice(first * RARE, end * RARE);
    this.partition = from.partition;
    this.counts = from.counts?.slice(first * this.measures, end * this.measures);
    this.length = end - first;
    this.summed = first === 0 ? Math.min(from.summed, end) : 0;
  }

  private countAnew(): void {
    this.counts = [];
    this.summed = 0;
  }

  /** Counts and sums of the rows from here on are brought up to date when they are next asked for. */
  private changedFrom(row: number): void {
    if (row < this.summed) this.summed = row;
  }

  private addUp(): void {
    const { rows, width, measures, counts } = this;
    for (let row = this.summed; row < this.length; row++) {
      const isIn = this.countsNow(row);
      for (let m = 0; m < measures; m++) {
        const value = this.valueAt(row, m);
        const counted = isIn && !Number.isNaN(value);
        if (counts !== undefined)
          counts[row * measures + m] =
            (row === 0 ? 0 : counts[(row - 1) * measures + m]!) + (counted ? 1 : 0);
        if (m === 0) continue;
        const at = row * width + HEAD + (m - 1) * PER_MEASURE + OWN_SUM;
        rows[at] = (row === 0 ? 0 : rows[at - width]!) + (counted ? value : 0);
      }
    }
    this.summed = this.length;
  }
}

/** A leaf with more rows is cut in two halves of its time; only one of a single millisecond may be larger. */
export const LEAF_ROWS_MAX = 32;
/** It is made for few rows, for some, and for as many as it may have before it is cut. */
const ROOM = [4, 12, LEAF_ROWS_MAX + 1] as const;

const roomFor = (rows: number): number => ROOM.find(room => room >= rows) ?? rows * 2;

const withRoom = (rows: readonly number[], length: number): number[] => {
  // Made as doubles, of this length and no more.
  const roomy = (zeros[length] ??= Array.from({ length }, () => 0.5).fill(0)).slice();
  for (let i = 0; i < rows.length; i++) roomy[i] = rows[i]!;
  return roomy;
};

/** By length. */
const zeros: (readonly number[])[] = [];

const makeRoom = (rows: number[], at: number, width: number): void => {
  const end = rows.length;
  for (let i = end - width; i < end; i++) rows.push(rows[i]!);
  for (let i = end - 1; i >= at + width; i--) rows[i] = rows[i - width]!;
};
