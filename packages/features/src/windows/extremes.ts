import type { Timeline, TimelineListener } from './timeline.ts';

/** The smaller or the greater of two values; NaN is none. */
export const picker =
  (which: 'min' | 'max') =>
  (a: number, b: number): number => {
    if (Number.isNaN(a)) return b;
    if (Number.isNaN(b)) return a;
    return which === 'min' ? Math.min(a, b) : Math.max(a, b);
  };

/**
 * The smallest or greatest values of runs of whole leaves of a timeline: a binary tree over the leaves, so that a long
 * window costs its logarithm. It is made again when leaves come or go, which is once for many rows.
 */
export class LeafExtremes implements TimelineListener {
  private readonly timeline: Timeline;
  private readonly measure: number;
  private readonly which: 'min' | 'max';
  private readonly pick: (a: number, b: number) => number;
  /** Node i is the pick of nodes 2i and 2i + 1; leaf n of the timeline is node size + n. */
  private tree: Float64Array = new Float64Array(0);
  private size = 0;
  private readonly stale = new Set<number>();

  constructor(timeline: Timeline, measure: number, which: 'min' | 'max') {
    this.timeline = timeline;
    this.measure = measure;
    this.which = which;
    this.pick = picker(which);
    timeline.listeners.push(this);
  }

  /** Over the leaves [from, to), as they count now. */
  over(from: number, to: number): number {
    if (this.size === 0) this.build();
    for (const index of this.stale) this.update(index);
    this.stale.clear();
    let found = Number.NaN;
    let low = from + this.size;
    let high = to + this.size;
    for (; low < high; low >>>= 1, high >>>= 1) {
      if (low % 2 === 1) found = this.pick(found, this.tree[low++]!);
      if (high % 2 === 1) found = this.pick(found, this.tree[--high]!);
    }
    return found;
  }

  leafChanged(index: number): void {
    if (this.size > 0) this.stale.add(index);
  }

  leavesMoved(): void {
    this.size = 0;
    this.stale.clear();
  }

  private build(): void {
    const { leaves } = this.timeline;
    this.size = leaves.length;
    this.tree = new Float64Array(2 * this.size);
    leaves.forEach((leaf, i) => (this.tree[this.size + i] = leaf.extreme(this.measure, this.which)));
    for (let i = this.size - 1; i > 0; i--)
      this.tree[i] = this.pick(this.tree[2 * i]!, this.tree[2 * i + 1]!);
  }

  private update(index: number): void {
    let node = this.size + index;
    this.tree[node] = this.timeline.leaves[index]!.extreme(this.measure, this.which);
    for (node >>>= 1; node > 0; node >>>= 1)
      this.tree[node] = this.pick(this.tree[2 * node]!, this.tree[2 * node + 1]!);
  }
}
