import type { FoldEvent } from './event.ts';
import { COUNT, type Leaf, type Point, type SUM } from './leaf.ts';
import { endOf, POSITION, type Timeline } from './timeline.ts';

/** The rows of a timeline that one window covers for one event in hand. */
export interface Window {
  readonly timeline: Timeline;
  /** Event time of the event in hand: labels known later do not count. */
  readonly time: number;
  /** Rows behind `after` and not behind `through`. */
  readonly after: Point;
  readonly through: Point;
  /** Their positions. */
  readonly from: number;
  readonly to: number;
  /** Whether the newest state already was the state at `time`. */
  readonly settled: boolean;
}

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

/** The window of a span as the event in hand sees it: times in (t - delay - window, t - delay]. */
export const openWindow = (timeline: Timeline, span: WindowSpan, event: FoldEvent): Window => {
  const { stream, hasKnownAt } = timeline.layout;
  const through =
    span.delayMs > 0 ? endOf(event.time - span.delayMs) : endAt(stream, hasKnownAt, event, span.before);
  const after = endOf(event.time - span.delayMs - span.windowMs);
  return {
    timeline,
    time: event.time,
    after,
    through,
    from: timeline.positionThrough(after),
    to: timeline.positionThrough(through),
    settled: event.time >= timeline.changedAtMax,
  };
};

/** Calls back for each leaf with the rows [from, to) of it that the window covers. */
export const eachLeaf = (window: Window, visit: (leaf: Leaf, from: number, to: number) => void): void => {
  const { timeline, from, to } = window;
  const last = Math.floor(to / POSITION);
  for (let i = Math.floor(from / POSITION); i <= last && i < timeline.leaves.length; i++) {
    const leaf = timeline.leaves[i]!;
    const first = i === Math.floor(from / POSITION) ? from % POSITION : 0;
    const end = i === last ? to % POSITION : leaf.length;
    if (first < end) visit(leaf, first, end);
  }
};

/** Calls back for each row that counts. */
export const eachRow = (window: Window, visit: (leaf: Leaf, row: number) => void): void =>
  eachLeaf(window, (leaf, from, to) => {
    for (let row = from; row < to; row++)
      if (window.settled ? leaf.counts(row) : leaf.countedAt(row, window.time)) visit(leaf, row);
  });

/** Count or sum of a measure over a window. */
export const total = (window: Window, measure: number, column: typeof COUNT | typeof SUM): number => {
  const { timeline, from, to, time } = window;
  if (window.settled) return timeline.upTo(to, measure, column) - timeline.upTo(from, measure, column);
  let result = 0;
  eachLeaf(window, (leaf, first, end) => {
    if (leaf.changedAtMax <= time) {
      result += leaf.upTo(end, measure, column) - leaf.upTo(first, measure, column);
      return;
    }
    for (let row = first; row < end; row++) {
      const value = leaf.valueAt(row, measure);
      if (leaf.countedAt(row, time) && !Number.isNaN(value)) result += column === COUNT ? 1 : value;
    }
  });
  return result;
};
