import type { Aggregate } from '@millrace/define';
import { SlidingDistinct } from './distinct.ts';
import { LeafExtremes, picker } from './extremes.ts';
import { SQUARE_PARTS } from './layout.ts';
import { COUNT, SUM, TIME, totalsAt } from './columns.ts';
import type { Leaf } from './leaf.ts';
import { LEAVES_FEW, POSITION, type Timeline } from './timeline.ts';
import { findLastRow, type Window } from './window.ts';

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

/** Runs of whole leaves in which nothing changed behind the window's time come from the tree, all else row by row. */
const extreme = (
  window: Window,
  measure: number,
  which: 'min' | 'max',
  treeOf: (timeline: Timeline) => LeafExtremes,
): number => {
  const pick = picker(which);
  const { timeline, from, to, time, unsettled } = window;
  const first = Math.floor(from / POSITION);
  const last = Math.floor(to / POSITION);
  let found = Number.NaN;
  const rows = (index: number): void => {
    findLastRow(window, index, (leaf, row) => {
      if (leaf.countedAt(row, time)) found = pick(found, leaf.valueAt(row, measure));
      return false;
    });
  };
  const leaves = (low: number, high: number): void => {
    if (high - low > LEAVES_FEW) found = pick(found, treeOf(timeline).over(low, high));
    else for (let i = low; i < high; i++) found = pick(found, timeline.leaves.at(i)!.extreme(measure, which));
  };
  rows(last);
  if (first === last) return found;
  rows(first);
  let high = last;
  for (const index of unsettled) {
    if (index <= first || index >= last) continue;
    leaves(index + 1, high);
    rows(index);
    high = index;
  }
  leaves(first + 1, high);
  return found;
};

const treeOver = (timeline: Timeline, measure: number, which: 'min' | 'max'): LeafExtremes => {
  const tree = new LeafExtremes(timeline.leaves, measure, which);
  timeline.trees.push(tree);
  return tree;
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

/** The newest row of a window at which a measure counts: from the end, over leaves that have none. */
const newestRow = (window: Window, measure: number): { leaf: Leaf; row: number } | undefined => {
  const { timeline, from, to, time, unsettled } = window;
  const first = Math.floor(from / POSITION);
  let found: { leaf: Leaf; row: number } | undefined;
  const inLeaf = (index: number): boolean =>
    findLastRow(window, index, (leaf, row) => {
      if (!leaf.countedAt(row, time) || Number.isNaN(leaf.valueAt(row, measure))) return false;
      found = { leaf, row };
      return true;
    });
  let high = Math.floor(to / POSITION);
  if (inLeaf(high)) return found;
  for (const index of [...unsettled, first - 1]) {
    if (index >= high) continue;
    // The first leaf may have such rows before the window only, so it is looked at by itself.
    const at = timeline.lastWith(Math.max(index, first) + 1, high, measure);
    if (at >= 0 && inLeaf(at)) return found;
    high = Math.max(index, first);
    if (high >= first && high < timeline.leaves.length && inLeaf(high)) return found;
    if (high === first) break;
  }
  return found;
};

/**
 * An aggregate that is worked out of counts and sums alone: one total over another, or over a constant. Nearly all are, and
 * for them nobody is called.
 */
export interface OfTotals {
  /** Places among the totals: of what is divided, and of the count without which the aggregate is empty. */
  readonly by: number;
  readonly over: number;
  /** Whether it is divided by that count, too. */
  readonly isRatio: boolean;
  readonly factor: number;
  readonly empty: number;
}

const emptyOf = ({ empty }: Aggregate): number => (empty === 'missing' ? Number.NaN : empty);

/** Undefined where it is none of these. */
export const ofTotals = (aggregate: Aggregate, measures: readonly number[]): OfTotals | undefined => {
  const m = measures[0]!;
  const over = totalsAt(m, COUNT);
  const empty = emptyOf(aggregate);
  const factor = 10 ** aggregate.scale;
  switch (aggregate.kind) {
    case 'count':
      return { by: over, over, isRatio: false, factor: 1, empty };
    case 'sum':
      return { by: totalsAt(m, SUM), over, isRatio: false, factor, empty };
    case 'mean':
      return { by: totalsAt(m, SUM), over, isRatio: true, factor, empty };
    case 'share':
      return { by: over, over: totalsAt(0, COUNT), isRatio: true, factor: 1, empty };
    default:
      return undefined;
  }
};

/** What reads any other aggregate from an entity's window; `measures` are its measures in the layout. */
export const aggregateReader = (aggregate: Aggregate, measures: readonly number[]): ReadAggregate => {
  const empty = emptyOf(aggregate);
  const m = measures[0]!;
  const orEmpty = (value: number): number => (Number.isNaN(value) ? empty : value);
  switch (aggregate.kind) {
    case 'stddev':
      return w => {
        const totals = w.totals();
        const n = totals[totalsAt(m, COUNT)]!;
        if (n === 0) return empty;
        const squares = measures.slice(1).map(part => totals[totalsAt(part, SUM)]!);
        return deviation(n, totals[totalsAt(m, SUM)]!, squares) / 10 ** aggregate.scale;
      };
    case 'min':
    case 'max': {
      const which = aggregate.kind;
      const treeOf = perTimeline(timeline => treeOver(timeline, m, which));
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
    case 'inForce':
      return w => {
        const newest = newestRow(w, 0);
        return newest === undefined ? empty : orEmpty(newest.leaf.valueAt(newest.row, m));
      };
    case 'timeSinceLast':
      return w => {
        const newest = newestRow(w, m);
        return newest === undefined ? empty : (w.time - newest.leaf.at(newest.row, TIME)) / 1000;
      };
    default:
      // So that a kind of which nobody has thought does not compile.
      throw new RangeError(
        `aggregation '${aggregate.kind satisfies 'count' | 'sum' | 'mean' | 'share'}' is one of totals`,
      );
  }
};
