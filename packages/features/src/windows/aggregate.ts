import type { Aggregate } from '@millrace/define';
import { SlidingDistinct } from './distinct.ts';
import { LeafExtremes, picker } from './extremes.ts';
import { SQUARE_PARTS } from './layout.ts';
import { COUNT, type Leaf, SUM } from './leaf.ts';
import { POSITION, type Timeline } from './timeline.ts';
import { eachLeaf, eachRow, total, type Window } from './window.ts';

/** The value of one aggregate over a window; NaN where it is missing. */
export type ReadAggregate = (window: Window) => number;

/** Kinds that look back from the event in hand leave it out, or they would only ever find it. */
export const looksBefore = (kind: Aggregate['kind']): boolean => kind === 'last' || kind === 'timeSinceLast';

const SQUARE_LIMB = 2n ** 16n;

/** sqrt(n * sum(x^2) - sum(x)^2) / n, exact up to the last two steps. */
const deviation = (n: number, sum: number, squares: readonly number[]): number => {
  let square = 0n;
  for (let i = SQUARE_PARTS - 1; i >= 0; i--) square = square * SQUARE_LIMB + BigInt(squares[i]!);
  return Math.sqrt(Number(BigInt(n) * square - BigInt(sum) ** 2n)) / n;
};

/** Windows over fewer whole leaves than this are read leaf by leaf. */
const LEAVES_FEW = 8;

const extreme = (
  window: Window,
  measure: number,
  which: 'min' | 'max',
  treeOf: (timeline: Timeline) => LeafExtremes,
): number => {
  const pick = picker(which);
  const { timeline, from, to } = window;
  const first = Math.floor(from / POSITION);
  const last = Math.floor(to / POSITION);
  if (window.settled && last - first > LEAVES_FEW) {
    const head = { ...window, to: first * POSITION + timeline.leaves[first]!.length };
    const tail = { ...window, from: last * POSITION };
    const middle = treeOf(timeline).over(first + 1, last);
    return pick(middle, pick(extreme(head, measure, which, treeOf), extreme(tail, measure, which, treeOf)));
  }
  let found = Number.NaN;
  eachLeaf(window, (leaf, start, end) => {
    if (start === 0 && end === leaf.length && leaf.changedAtMax <= window.time) {
      found = pick(found, leaf.extreme(measure, which));
      return;
    }
    for (let row = start; row < end; row++)
      if (leaf.countedAt(row, window.time)) found = pick(found, leaf.valueAt(row, measure));
  });
  return found;
};

/** One of something for each timeline that asks for it, for as long as the timeline is there. */
const perTimeline = <T>(make: (timeline: Timeline) => T): ((timeline: Timeline) => T) => {
  const made = new WeakMap<Timeline, { readonly it: T }>();
  return timeline => {
    const known = made.get(timeline);
    if (known !== undefined) return known.it;
    const it = make(timeline);
    made.set(timeline, { it });
    return it;
  };
};

/** The newest row of a window at which a measure counts. */
const newestRow = (window: Window, measure: number): { leaf: Leaf; row: number } | undefined => {
  const { timeline } = window;
  let found: { leaf: Leaf; row: number } | undefined;
  if (!window.settled) {
    eachRow(window, (leaf, row) => {
      if (!Number.isNaN(leaf.valueAt(row, measure))) found = { leaf, row };
    });
    return found;
  }
  const wanted = timeline.upTo(window.to, measure, COUNT);
  if (wanted <= timeline.upTo(window.from, measure, COUNT)) return undefined;
  // The first position with that many counted before it lies just behind the row.
  const reached = (position: number): boolean => timeline.upTo(position, measure, COUNT) >= wanted;
  const first = (low: number, high: number, test: (at: number) => boolean): number => {
    let [from, to] = [low, high];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (test(middle)) to = middle;
      else from = middle + 1;
    }
    return from;
  };
  const index = first(0, Math.floor(window.to / POSITION), i =>
    reached(i * POSITION + timeline.leaves[i]!.length),
  );
  const leaf = timeline.leaves[index]!;
  return { leaf, row: first(1, leaf.length, rows => reached(index * POSITION + rows)) - 1 };
};

/** What reads an aggregate from any entity's window; `measures` are its measures in the layout. */
export const aggregateReader = (aggregate: Aggregate, measures: readonly number[]): ReadAggregate => {
  const empty = aggregate.empty === 'missing' ? Number.NaN : aggregate.empty;
  const factor = 10 ** aggregate.scale;
  const m = measures[0]!;
  const overCount =
    (of: (w: Window, n: number) => number): ReadAggregate =>
    w => {
      const n = total(w, m, COUNT);
      return n === 0 ? empty : of(w, n);
    };
  const orEmpty = (value: number): number => (Number.isNaN(value) ? empty : value);
  switch (aggregate.kind) {
    case 'count':
      return overCount((_, n) => n);
    case 'sum':
      return overCount(w => total(w, m, SUM) / factor);
    case 'mean':
      return overCount((w, n) => total(w, m, SUM) / (n * factor));
    case 'stddev':
      return overCount((w, n) => {
        const squares = measures.slice(1).map(part => total(w, part, SUM));
        return deviation(n, total(w, m, SUM), squares) / factor;
      });
    case 'share':
      return w => {
        const all = total(w, 0, COUNT);
        return all === 0 ? empty : total(w, m, COUNT) / all;
      };
    case 'min':
    case 'max': {
      const which = aggregate.kind;
      const treeOf = perTimeline(timeline => new LeafExtremes(timeline, m, which));
      return w => orEmpty(extreme(w, m, which, treeOf));
    }
    case 'distinct': {
      const slidingOf = perTimeline(timeline => new SlidingDistinct(timeline, m));
      return w => slidingOf(w.timeline).count(w) || empty;
    }
    case 'last':
      return w => {
        const newest = newestRow(w, m);
        return newest === undefined ? empty : newest.leaf.valueAt(newest.row, m);
      };
    case 'timeSinceLast':
      return w => {
        const newest = newestRow(w, m);
        return newest === undefined ? empty : (w.time - newest.leaf.at(newest.row, 0)) / 1000;
      };
    default:
      throw new RangeError(`aggregation '${String(aggregate.kind satisfies never)}' is unknown`);
  }
};
