import type { Leaf } from './leaf.ts';
import type { LeafList } from './leaves.ts';

/**
 * Figures of whole leaves of a timeline, and of runs of them: a binary tree over the leaves, so that a long window costs
 * its logarithm, and so does a change in its midst. The leaves lie at places that go on: new ones are added at the end,
 * those that have expired leave their places behind, and now and then all move to the front of a new tree. A node is
 * only used where all its leaves are asked for, so what lies in places without a leaf does not matter.
 */
export abstract class LeafTree {
  /** Figures of each node. */
  readonly width: number;
  protected readonly leaves: LeafList;
  /** Node n is combined of nodes 2n and 2n + 1; the leaf of index i is node `capacity + first + i`. */
  protected tree = new Float64Array(0);
  private capacity = 0;
  private first = 0;
  /** Leaves from this index on are not in the tree yet. */
  private movedFrom = 0;
  private readonly changed = new Set<number>();

  constructor(leaves: LeafList, width: number) {
    this.leaves = leaves;
    this.width = width;
  }

  /** Writes the figures of one leaf at a place of the tree. */
  protected abstract put(leaf: Leaf, at: number): void;
  /** Writes what two nodes come to, at places of the tree. */
  protected abstract combine(left: number, right: number, at: number): void;

  /** The rows of one leaf have changed. */
  leafChanged(index: number): void {
    if (index < this.movedFrom) this.changed.add(index);
  }

  /** From this index on the leaves are others than before. */
  leavesMoved(from: number): void {
    if (from >= this.movedFrom) return;
    this.movedFrom = from;
    for (const index of this.changed) if (index >= from) this.changed.delete(index);
  }

  /** The first so many leaves are gone. */
  leavesGone(count: number): void {
    this.first += count;
    this.movedFrom = Math.max(0, this.movedFrom - count);
    if (this.changed.size === 0) return;
    const left = [...this.changed].map(index => index - count).filter(index => index >= 0);
    this.changed.clear();
    for (const index of left) this.changed.add(index);
  }

  /** Calls back for the nodes whose leaves together are [from, to), in no particular order. */
  protected eachNode(from: number, to: number, visit: (at: number) => void): void {
    this.refresh();
    const { width } = this;
    let low = this.capacity + this.first + from;
    let high = this.capacity + this.first + to;
    for (; low < high; low >>>= 1, high >>>= 1) {
      if (low % 2 === 1) visit(low++ * width);
      if (high % 2 === 1) visit(--high * width);
    }
  }

  /** The last leaf of [from, to) of whose node the test holds, or -1. A node passes where one of its leaves does. */
  protected lastLeaf(from: number, to: number, test: (at: number) => boolean): number {
    this.refresh();
    const within = (node: number, low: number, span: number): number => {
      if (low >= to || low + span <= from) return -1;
      const isInside = low >= from && low + span <= to;
      if (isInside && !test(node * this.width)) return -1;
      if (span === 1) return low;
      const half = span / 2;
      const right = within(2 * node + 1, low + half, half);
      return right >= 0 ? right : within(2 * node, low, half);
    };
    return to <= from ? -1 : within(1, 0 - this.first, this.capacity);
  }

  private refresh(): void {
    const { leaves } = this;
    if (this.first + leaves.length > this.capacity) this.grow();
    if (this.movedFrom < leaves.length) {
      const from = this.capacity + this.first + this.movedFrom;
      const to = this.capacity + this.first + leaves.length;
      for (let i = this.movedFrom; i < leaves.length; i++)
        this.put(leaves.at(i)!, (from + i - this.movedFrom) * this.width);
      this.movedFrom = leaves.length;
      this.combineAbove(from, to - 1);
    }
    if (this.changed.size === 0) return;
    for (const index of this.changed) {
      const node = this.capacity + this.first + index;
      this.put(leaves.at(index)!, node * this.width);
      this.combineAbove(node, node);
    }
    this.changed.clear();
  }

  private combineAbove(from: number, to: number): void {
    const { width } = this;
    for (let low = from >>> 1, high = to >>> 1; high > 0; low >>>= 1, high >>>= 1)
      for (let node = low; node <= high; node++)
        this.combine(2 * node * width, (2 * node + 1) * width, node * width);
  }

  private grow(): void {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(4, this.leaves.length * 1.5)));
    this.tree = new Float64Array(2 * this.capacity * this.width);
    this.first = 0;
    this.movedFrom = 0;
    this.changed.clear();
  }
}
