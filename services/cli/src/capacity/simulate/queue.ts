/** Records of a partition that wait, oldest first. Those that came together are one entry; counts may be fractions. */
export class Queue {
  #atMs: number[] = [];
  #counts: number[] = [];
  #head = 0;
  #total = 0;

  get total(): number {
    return this.#total;
  }

  /** When the oldest came; undefined where none waits. */
  get oldestMs(): number | undefined {
    return this.#atMs[this.#head];
  }

  add(atMs: number, count: number): void {
    if (count <= 0) return;
    this.#atMs.push(atMs);
    this.#counts.push(count);
    this.#total += count;
  }

  /** Takes up to so many, oldest first; `taken` is told of each entry that it takes from. @returns how many there were. */
  take(most: number, taken: (atMs: number, count: number) => void): number {
    let left = most;
    while (left > 0 && this.#head < this.#atMs.length) {
      const count = Math.min(left, this.#counts[this.#head]!);
      taken(this.#atMs[this.#head]!, count);
      left -= count;
      this.#total -= count;
      if (count === this.#counts[this.#head]) this.#head++;
      else this.#counts[this.#head]! -= count;
    }
    this.#forget();
    return most - left;
  }

  #forget(): void {
    if (this.#head === this.#atMs.length) {
      this.#atMs.length = this.#counts.length = this.#head = 0;
      // What sums of fractions have left over.
      this.#total = 0;
    } else if (this.#head > 4_096) {
      this.#atMs.splice(0, this.#head);
      this.#counts.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
