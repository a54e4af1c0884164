import type { FoldEvent } from './event.ts';
import { COUNT, SUM, type TotalsColumn, totalsAt } from './columns.ts';
import type { Leaf } from './leaf.ts';
import { endOf, type Point } from './row.ts';
import { POSITION, type Timeline } from './timeline.ts';

const NONE: readonly number[] = [];

export interface WindowSpan {
  readonly windowMs: number;
  readonly delayMs: number;
  /** The event in hand is left out. */
  readonly before: boolean;
}

/**
 * Where a window without delay ends: at the event in hand. Of other streams' rows of the same time, those of a lower
 * sequence are in, and of the same sequence labels and streams with a smaller name.
 */
const endAt = (stream: string, isLabels: boolean, event: FoldEvent, before: boolean): Point => {
  const { time, sequence, partition, offset } = event;
  if (stream === event.stream) return before ? { time, sequence, partition, offset: offset - 1 } : event;
  const edge = isLabels || stream < event.stream ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return { time, sequence, partition: edge, offset: edge };
};

/** Where windows of a delay end, for one event in hand. */
export interface WindowEnd {
  readonly through: Point;
  /** Its position. */
  readonly to: number;
}

export const endOfWindows = (
  timeline: Timeline,
  { delayMs, before }: Omit<WindowSpan, 'windowMs'>,
  event: FoldEvent,
): WindowEnd => {
  const { stream, hasKnownAt, isTable } = timeline.layout;
  const through =
    delayMs > 0 || isTable ? endOf(event.time - delayMs) : endAt(stream, hasKnownAt, event, before);
  return { through, to: timeline.positionThrough(through) };
};

/**
 * The rows of a timeline that a window of one span covers for one event in hand. One is enough for all events: they are
 * read one after the other, and it is opened anew for each.
 */
export class Window {
  readonly span: WindowSpan;
  timeline!: Timeline;
  /** Event time of the event in hand: labels known later do not count. */
  time = 0;
  /** Rows of later times than `after` (milliseconds), and not behind `through`. */
  after = 0;
  through!: Point;
  /** Their positions. */
  from = 0;
  to = 0;
  /**
   * Leaves of which something changed behind `time`, the last first: in all others what counts now is what counted then.
   */
  unsettled = NONE;
  /** Count and sum of each measure, once they are asked for. */
  private totals = new Float64Array(0);
  private isAddedUp = false;

  constructor(span: WindowSpan) {
    this.span = span;
  }

  /** As the event in hand sees it: times in (t - delay - window, t - delay]. */
  open(timeline: Timeline, { through, to }: WindowEnd, { time }: FoldEvent): void {
    const { windowMs, delayMs } = this.span;
    this.timeline = timeline;
    this.time = time;
    this.after = time - delayMs - windowMs;
    this.through = through;
    this.from = timeline.positionThroughTime(this.after);
    this.to = to;
    this.unsettled = time >= timeline.changedAtMax ? NONE : unsettledLeaves(timeline, this.from, to, time);
    this.isAddedUp = false;
  }

  /** Count or sum of a measure. Sums are of whole numbers, so that corrections leave nothing behind. */
  total(measure: number, column: TotalsColumn): number {
    if (!this.isAddedUp) this.addUp();
    return this.totals[totalsAt(measure, column)]!;
  }

  /** Of all measures at once: looking for the rows costs more than adding them. */
  private addUp(): void {
    const { timeline, from, to } = this;
    const figures = 2 * timeline.layout.measures.length;
    if (this.totals.length !== figures) this.totals = new Float64Array(figures);
    const { totals } = this;
    this.isAddedUp = true;
    timeline.totals(from, to, totals);
    if (this.unsettled.length === 0) return;
    eachCorrection(this, (leaf, row, by) => {
      for (let m = 0; m < leaf.measures; m++) {
        const value = leaf.valueAt(row, m);
        if (Number.isNaN(value)) continue;
        totals[totalsAt(m, COUNT)]! += by;
        totals[totalsAt(m, SUM)]! += by * value;
      }
    });
  }
}

const unsettledLeaves = (timeline: Timeline, from: number, to: number, time: number): readonly number[] => {
  const found: number[] = [];
  const first = Math.floor(from / POSITION);
  let end = Math.min(Math.floor(to / POSITION) + 1, timeline.leaves.length);
  while ((end = timeline.lastUnsettled(first, end, time)) >= 0) found.push(end);
  return found;
};

/** Calls back for the rows of one leaf that the window covers, the last first, until the answer is true. */
export const findLastRow = (
  { timeline, from, to }: Pick<Window, 'timeline' | 'from' | 'to'>,
  index: number,
  isIt: (leaf: Leaf, row: number) => boolean,
): boolean => {
  const leaf = timeline.leaves.at(index);
  if (leaf === undefined) return false;
  const first = index === Math.floor(from / POSITION) ? from % POSITION : 0;
  const end = index === Math.floor(to / POSITION) ? to % POSITION : leaf.length;
  for (let row = end - 1; row >= first; row--) if (isIt(leaf, row)) return true;
  return false;
};

/** Calls back for each row between two positions that counts now. */
export const eachRow = (
  timeline: Timeline,
  from: number,
  to: number,
  visit: (leaf: Leaf, row: number) => void,
): void => {
  const last = Math.floor(to / POSITION);
  for (let i = Math.floor(from / POSITION); i <= last && i < timeline.leaves.length; i++) {
    const leaf = timeline.leaves.at(i)!;
    const end = i === last ? to % POSITION : leaf.length;
    for (let row = i === Math.floor(from / POSITION) ? from % POSITION : 0; row < end; row++)
      if (leaf.countsNow(row)) visit(leaf, row);
  }
};

/** Calls back for the rows that counted at the window's time and do not now (1), or do now and did not then (-1). */
export const eachCorrection = (
  window: Window,
  visit: (leaf: Leaf, row: number, by: 1 | -1) => void,
): void => {
  const { time, unsettled } = window;
  for (const index of unsettled)
    findLastRow(window, index, (leaf, row) => {
      const counted = leaf.countedAt(row, time);
      if (counted !== leaf.countsNow(row)) visit(leaf, row, counted ? 1 : -1);
      return false;
    });
};
