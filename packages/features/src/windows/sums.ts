import { COUNT, SUM } from './columns.ts';
import type { Leaf } from './leaf.ts';
import type { LeafList } from './leaves.ts';
import { LeafTree } from './tree.ts';

/** Counts and sums of every measure over runs of leaves, and until when their rows were still changing. */
export class LeafSums extends LeafTree {
  private readonly measures: number;

  constructor(leaves: LeafList, measures: number) {
    super(leaves, 2 * measures + 1);
    this.measures = measures;
  }

  /** Adds to totals of all measures (`totalsAt`) those of the leaves [from, to), as they count now. */
  addTo(totals: Float64Array, from: number, to: number): void {
    this.eachNode(from, to, at => {
      for (let i = 0; i < 2 * this.measures; i++) totals[i]! += this.tree[at + i]!;
    });
  }

  /** The last leaf of [from, to) in which a row counts now with a value of the measure, or -1. */
  lastWith(from: number, to: number, measure: number): number {
    return this.lastLeaf(from, to, at => this.tree[at + measure * 2]! > 0);
  }

  /** The last leaf of [from, to) of which something changed behind a time, or -1. */
  lastUnsettled(from: number, to: number, time: number): number {
    return this.lastLeaf(from, to, at => this.tree[at + this.width - 1]! > time);
  }

  protected put(leaf: Leaf, at: number): void {
    for (let m = 0; m < this.measures; m++) {
      this.tree[at + m * 2] = leaf.upTo(leaf.length, m, COUNT);
      this.tree[at + m * 2 + 1] = leaf.upTo(leaf.length, m, SUM);
    }
    this.tree[at + this.width - 1] = leaf.changedAtMax;
  }

  protected combine(left: number, right: number, at: number): void {
    const { tree, width } = this;
    for (let i = 0; i < width - 1; i++) tree[at + i] = tree[left + i]! + tree[right + i]!;
    tree[at + width - 1] = Math.max(tree[left + width - 1]!, tree[right + width - 1]!);
  }
}
