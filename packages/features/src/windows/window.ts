import type { FoldEvent } from './event.ts';
import { COUNT, endOf, type Leaf, type Point, type SUM } from './leaf.ts';
import { POSITION, type Timeline } from './timeline.ts';

/** The rows of a timeline that one window covers for one event in hand. */
export interface Window {
  readonly timeline: Timeline;
  /** Event time of the event in hand: labels known later do not count. */
  readonly time: number;
  /** Rows of later times than `after` (milliseconds), and not behind `through`. */
  readonly after: number;
  readonly through: Point;
  /** Their positions. */
  readonly from: number;
  readonly to: number;
  /**
   * Leaves of which something changed behind `time`, the last first: in all others what counts now is what counted then.
   */
  readonly unsettled: readonly number[];
}

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
  if (stream === event.stream) return { time, sequence, partition, offset: before ? offset - 1 : offset };
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

/** The window of a span as the event in hand sees it: times in (t - delay - window, t - delay]. */
export const openWindow = (
  timeline: Timeline,
  { windowMs, delayMs }: WindowSpan,
  { through, to }: WindowEnd,
  event: FoldEvent,
): Window => {
  const { time } = event;
  const after = time - delayMs - windowMs;
  const from = timeline.positionThroughTime(after);
  const unsettled = time >= timeline.changedAtMax ? NONE : unsettledLeaves(timeline, from, to, time);
  return { timeline, time, after, through, from, to, unsettled };
};

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
      if (leaf.counts(row)) visit(leaf, row);
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
      if (counted !== leaf.counts(row)) visit(leaf, row, counted ? 1 : -1);
      return false;
    });
};

/** Count or sum of a measure over a window. Sums are of whole numbers, so that corrections leave nothing behind. */
export const total = (window: Window, measure: number, column: typeof COUNT | typeof SUM): number => {
  const { timeline, from, to } = window;
  let result = timeline.total(from, to, measure, column);
  if (window.unsettled.length === 0) return result;
  eachCorrection(window, (leaf, row, by) => {
    const value = leaf.valueAt(row, measure);
    if (!Number.isNaN(value)) result += by * (column === COUNT ? 1 : value);
  });
  return result;
};
