import { COUNT, KNOWN_AT, LEAF_ROWS_MAX, REVISION, TIME, UNTIL } from './columns.ts';
import type { FoldEvent } from './event.ts';
import type { Layout } from './layout.ts';
import { Leaf } from './leaf.ts';
import { LeafList } from './leaves.ts';
import type { TimelineListener } from './listener.ts';
import { type NewRow, type Point, rowOf } from './row.ts';
import { LeafSums } from './sums.ts';
import type { LeafTree } from './tree.ts';

/** A position is leaf * POSITION + rows of that leaf before it. */
export const POSITION = 2 ** 24;
/** Runs of fewer leaves are looked at leaf by leaf, and most entities never need a tree over theirs. */
export const LEAVES_FEW = 8;

/**
 * - `folded`: it counts from now on
 * - `duplicate`: this revision of this event was folded before
 * - `superseded`: a higher revision was folded before
 * - `expired`: older than what is kept; it was not kept
 */
export type Admission = 'folded' | 'duplicate' | 'superseded' | 'expired';

/** A leaf without its rows, and its share of the trees. */
const LEAF_BYTES = 600;
const NO_CHANGES = { changed: [], dropped: [] } as const;
const NO_ROWS: readonly number[] = [];
/**
 * One entity's events of one stream, in order of event time. The time line is cut into leaves at halves of halves of a
 * fixed grid, so which leaves there are depends on the events and not on the order of their arrival. An event is found
 * again by its id among those of its own time: a correction carries the time and the keys of what it corrects.
 */
export class Timeline {
  readonly layout: Layout;
  readonly leaves = new LeafList();
  readonly listeners: TimelineListener[] = [];
  readonly trees: LeafTree[] = [];
  /** From this time on, what counts in the newest state is what counted then. */
  changedAtMax = Number.NEGATIVE_INFINITY;
  /** The greatest stretch of time of one leaf: short enough that what has expired is soon dropped with it. */
  private readonly rootLevel: number;
  /** Before an event of this time nothing expires: what comes often need not look at the leaves. */
  private expiresAt = Number.NEGATIVE_INFINITY;
  private sums: LeafSums | undefined;
  private rows = 0;
  private changed: Leaf[] = [];
  private dropped: Leaf[] = [];

  constructor(layout: Layout) {
    this.layout = layout;
    this.rootLevel = Math.max(0, Math.floor(Math.log2(layout.retentionMs / 2)));
  }

  /** What it takes in memory, about. */
  get bytes(): number {
    return this.rows * this.layout.bytesPerRow + this.leaves.length * LEAF_BYTES;
  }

  /** Event time of the newest row, or minus infinity. */
  newestTime(): number {
    for (let i = this.leaves.length - 1; i >= 0; i--) {
      const leaf = this.leaves.at(i)!;
      if (leaf.length > 0) return leaf.at(leaf.length - 1, TIME);
    }
    return Number.NEGATIVE_INFINITY;
  }

  /** Whether a revision of the event is kept, be it one that withdraws it. */
  holds(event: FoldEvent): boolean {
    const leaf = this.leaves.at(this.leaves.lastBefore(event.time));
    return leaf !== undefined && event.time < leaf.end && this.rowsOf(leaf, event).length > 0;
  }

  /** @throws RangeError for a time that is no whole number: `checkEvent` tells beforehand */
  fold(event: FoldEvent): Admission {
    if (!Number.isSafeInteger(event.time))
      throw new RangeError('an event time is not a whole number of milliseconds');
    const newest = this.newestTime();
    if (event.time <= newest - this.layout.retentionMs) return 'expired';
    const last = this.leaves.length - 1;
    // In order it belongs to the last leaf, which nobody has to look for.
    const isLast = event.time > newest && last >= 0 && this.leaves.at(last)!.holdsTime(event.time);
    const index = isLast ? last : this.leafFor(event.time);
    const leaf = this.leaves.at(index)!;
    const same = event.time > newest ? NO_ROWS : this.rowsOf(leaf, event);
    const knownAt = this.layout.hasKnownAt ? event.knownAt! : Number.NEGATIVE_INFINITY;
    let until = Number.POSITIVE_INFINITY;
    for (const row of same) if (leaf.at(row, REVISION) === event.revision) return 'duplicate';
    if (!this.layout.hasKnownAt)
      for (const row of same) if (leaf.at(row, REVISION) > event.revision) return 'superseded';
    for (const row of same) {
      if (!this.layout.hasKnownAt) this.removeRow(index, row);
      else if (leaf.at(row, REVISION) > event.revision) until = Math.min(until, leaf.at(row, KNOWN_AT));
      else if (leaf.at(row, UNTIL) > knownAt) this.supersede(index, row, knownAt);
    }
    this.insert(index, rowOf(this.layout, event, knownAt, until));
    if (event.time > newest) this.expireBefore(event.time);
    return 'folded';
  }

  /** Drops the leaves that lie wholly before `time` less the retention; of a table, not the one that is in force then. */
  expireBefore(time: number): void {
    if (time < this.expiresAt) return;
    const { retentionMs, isTable } = this.layout;
    const before = time - retentionMs;
    let gone = 0;
    while (gone < this.leaves.length && this.leaves.at(gone)!.end <= before) gone++;
    const inForce = isTable ? this.lastWith(0, gone, 0) : -1;
    if (inForce >= 0) gone = inForce;
    // Of a table what expires hangs on more than the first leaf.
    if (!isTable) this.expiresAt = (this.leaves.at(gone)?.end ?? Number.NEGATIVE_INFINITY) + retentionMs;
    if (gone === 0) return;
    for (const leaf of this.leaves.takeFirst(gone)) {
      this.dropped.push(leaf);
      leaf.dirty = false;
      this.rows -= leaf.length;
    }
    for (const tree of this.trees) tree.leavesGone(gone);
    for (const listener of this.listeners) listener.dropped?.(before);
  }

  /** Position behind every row at or before a point. */
  positionThrough(point: Point): number {
    const index = this.leaves.lastBefore(point.time);
    return index < 0 ? 0 : index * POSITION + this.leaves.at(index)!.rowsThrough(point);
  }

  /** Position behind every row at or before a time. */
  positionThroughTime(time: number): number {
    const index = this.leaves.lastBefore(time);
    return index < 0 ? 0 : index * POSITION + this.leaves.at(index)!.rowsThroughTime(time);
  }

  /** Adds to count and sum of each measure (`totalsAt`) those of the leaves [first, last), as they count now. */
  addLeaves(first: number, last: number, into: Float64Array): void {
    if (last - first > LEAVES_FEW) return this.sumsOf().addTo(into, first, last);
    for (let i = first; i < last; i++) {
      const leaf = this.leaves.at(i)!;
      leaf.addTo(into, leaf.length, 1);
    }
  }

  /** The last leaf of [from, to) in which a row counts now with a value of a measure, or -1. */
  lastWith(from: number, to: number, measure: number): number {
    if (to - from > LEAVES_FEW) return this.sumsOf().lastWith(from, to, measure);
    for (let i = to - 1; i >= from; i--)
      if (this.leaves.at(i)!.upTo(this.leaves.at(i)!.length, measure, COUNT) > 0) return i;
    return -1;
  }

  /** The last leaf of [from, to) of which something changed behind a time, or -1. */
  lastUnsettled(from: number, to: number, time: number): number {
    if (to - from > LEAVES_FEW) return this.sumsOf().lastUnsettled(from, to, time);
    for (let i = to - 1; i >= from; i--) if (this.leaves.at(i)!.changedAtMax > time) return i;
    return -1;
  }

  /** Leaves changed and dropped since the last call. */
  takeChanges(): { readonly changed: readonly Leaf[]; readonly dropped: readonly Leaf[] } {
    if (this.changed.length === 0 && this.dropped.length === 0) return NO_CHANGES;
    const changed = this.changed.filter(leaf => leaf.dirty);
    const { dropped } = this;
    for (const leaf of changed) leaf.dirty = false;
    this.changed = [];
    this.dropped = [];
    return { changed, dropped };
  }

  /** Puts a leaf read from its chunk into place. */
  restore(leaf: Leaf): void {
    leaf.dirty = false;
    this.rows += leaf.length;
    this.changedAtMax = Math.max(this.changedAtMax, leaf.changedAtMax);
    const at = this.leaves.lastBefore(leaf.start) + 1;
    this.leaves.replace(at, 0, leaf);
    this.leavesMoved(at);
  }

  /** Rows of the same event, the last first, so that one may be removed. */
  private rowsOf(leaf: Leaf, event: FoldEvent): readonly number[] {
    const last = leaf.rowsThroughTime(event.time) - 1;
    if (last < 0 || leaf.at(last, TIME) !== event.time) return NO_ROWS;
    const rows: number[] = [];
    for (let row = last; row >= 0 && leaf.at(row, TIME) === event.time; row--)
      if (leaf.ids[row] === event.eventId) rows.push(row);
    return rows;
  }

  private insert(index: number, row: NewRow): void {
    const leaf = this.leaves.at(index)!;
    this.touch(index);
    leaf.insert(row);
    this.rows++;
    this.changedAtMax = Math.max(this.changedAtMax, leaf.changedAtMax);
    if (leaf.length > LEAF_ROWS_MAX) this.split(index);
    if (row.live && row.until === Number.POSITIVE_INFINITY) for (const l of this.listeners) l.added?.(row);
  }

  private removeRow(index: number, row: number): void {
    const leaf = this.leaves.at(index)!;
    if (leaf.countsNow(row)) for (const listener of this.listeners) listener.removed?.(leaf.rowAt(row));
    this.touch(index);
    leaf.remove(row);
    this.rows--;
  }

  private supersede(index: number, row: number, until: number): void {
    const leaf = this.leaves.at(index)!;
    if (leaf.countsNow(row)) for (const listener of this.listeners) listener.removed?.(leaf.rowAt(row));
    this.touch(index);
    leaf.supersede(row, until);
    this.changedAtMax = Math.max(this.changedAtMax, leaf.changedAtMax);
  }

  private touch(index: number): void {
    const leaf = this.leaves.at(index)!;
    if (!leaf.dirty) {
      leaf.dirty = true;
      this.changed.push(leaf);
    }
    for (const tree of this.trees) tree.leafChanged(index);
  }

  private sumsOf(): LeafSums {
    if (this.sums === undefined) {
      this.sums = new LeafSums(this.leaves, this.layout.measures.length);
      this.trees.push(this.sums);
    }
    return this.sums;
  }

  private leavesMoved(from: number): void {
    if (from === 0) this.expiresAt = Number.NEGATIVE_INFINITY;
    for (const tree of this.trees) tree.leavesMoved(from);
  }

  private split(index: number): void {
    const leaf = this.leaves.at(index)!;
    if (leaf.level === 0 || leaf.length <= LEAF_ROWS_MAX) return;
    leaf.dirty = false;
    this.dropped.push(leaf);
    const kept = leaf.halves().filter(half => half.length > 0);
    this.changed.push(...kept);
    this.leaves.replace(index, 1, ...kept);
    this.leavesMoved(index);
    // Only one of the halves can still be too large: together they hold one row too many.
    kept.forEach((half, i) => {
      if (half.length > LEAF_ROWS_MAX) this.split(index + i);
    });
  }

  /** Index of the leaf for a time; where there is none, the largest piece of the grid that is free is made one. */
  private leafFor(time: number): number {
    const at = this.leaves.lastBefore(time);
    const previous = this.leaves.at(at);
    return previous !== undefined && time < previous.end ? at : this.newLeaf(time, at);
  }

  /** @param at the leaf before it */
  private newLeaf(time: number, at: number): number {
    const previous = this.leaves.at(at);
    const next = this.leaves.at(at + 1);
    let level = this.rootLevel;
    const startOf = (l: number): number => Math.floor(time / 2 ** l) * 2 ** l;
    const free = (l: number): boolean =>
      (previous === undefined || previous.end <= startOf(l)) &&
      (next === undefined || startOf(l) + 2 ** l <= next.start);
    while (!free(level)) level--;
    // What comes from now on lies mostly behind it.
    if (previous !== undefined && next === undefined) previous.trim();
    this.leaves.replace(at + 1, 0, new Leaf(startOf(level), level, this.layout.measures.length));
    this.leavesMoved(at + 1);
    return at + 1;
  }
}
