import type { Leaf } from './leaf.ts';

/**
 * Leaves in order of their time, numbered from 0. Most come at the end and all go from the front, so the places of those
 * that went are only given back once they are half of all: to move a long list up for each of them costs its length.
 */
export class LeafList {
  private readonly places: (Leaf | undefined)[] = [];
  private first = 0;

  get length(): number {
    return this.places.length - this.first;
  }

  /** The leaf of an index; undefined outside the list. */
  at(index: number): Leaf | undefined {
    return index < 0 ? undefined : this.places[this.first + index];
  }

  /** Puts leaves in the place of `count` others. */
  replace(index: number, count: number, ...leaves: readonly Leaf[]): void {
    if (count === 0 && index === this.length) this.places.push(...leaves);
    else this.places.splice(this.first + index, count, ...leaves);
  }

  /** Takes the first `count` leaves out. */
  takeFirst(count: number): readonly Leaf[] {
    const taken = this.places.slice(this.first, this.first + count) as Leaf[];
    this.places.fill(undefined, this.first, this.first + count);
    this.first += count;
    if (this.first * 2 >= this.places.length) {
      this.places.splice(0, this.first);
      this.first = 0;
    }
    return taken;
  }

  /**
   * Index of the last leaf that begins at or before a time, or -1. It is looked for from both ends in growing steps: new
   * events lie near the one, and the longest window begins near the other.
   */
  lastBefore(time: number): number {
    const { length } = this;
    let low = -1;
    let high = length;
    for (let step = 1; high - low > 1; step *= 2) {
      const behind = Math.max(high - step, low + 1);
      if (this.startOf(behind) <= time) {
        low = behind;
        break;
      }
      high = behind;
      const ahead = Math.min(low + step, high - 1);
      if (ahead <= low) break;
      if (this.startOf(ahead) > time) {
        high = ahead;
        break;
      }
      low = ahead;
    }
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (this.startOf(middle) <= time) low = middle;
      else high = middle;
    }
    return low;
  }

  private startOf(index: number): number {
    return this.places[this.first + index]!.start;
  }
}
