import type { Leaf } from './leaf.ts';
import type { LeafList } from './leaves.ts';
import { LeafTree } from './tree.ts';

/** The smaller or the greater of two values; NaN is none. */
export const picker =
  (which: 'min' | 'max') =>
  (a: number, b: number): number => {
    if (Number.isNaN(a)) return b;
    if (Number.isNaN(b)) return a;
    return which === 'min' ? Math.min(a, b) : Math.max(a, b);
  };

/** The smallest or greatest values of one measure over runs of leaves. */
export class LeafExtremes extends LeafTree {
  private readonly measure: number;
  private readonly which: 'min' | 'max';
  private readonly pick: (a: number, b: number) => number;

  constructor(leaves: LeafList, measure: number, which: 'min' | 'max') {
    super(leaves, 1);
    this.measure = measure;
    this.which = which;
    this.pick = picker(which);
  }

  /** Over the leaves [from, to), as they count now. */
  over(from: number, to: number): number {
    let found = Number.NaN;
    this.eachNode(from, to, at => {
      found = this.pick(found, this.tree[at]!);
    });
    return found;
  }

  protected put(leaf: Leaf, at: number): void {
    this.tree[at] = leaf.extreme(this.measure, this.which);
  }

  protected combine(left: number, right: number, at: number): void {
    this.tree[at] = this.pick(this.tree[left]!, this.tree[right]!);
  }
}
