export interface Timer<T> {
  readonly dueMs: number;
  readonly number: number;
  readonly value: T;
  isCancelled: boolean;
}

/** What is to happen later, by time and then by the order in which it was asked for: a binary heap. */
export class Timers<T> {
  readonly #heap: Timer<T>[] = [];
  #added = 0;

  add(dueMs: number, value: T): Timer<T> {
    const timer = { dueMs, number: this.#added++, value, isCancelled: false };
    const heap = this.#heap;
    let at = heap.length;
    for (let above = (at - 1) >> 1; at > 0 && isEarlier(timer, heap[above]!); above = (at - 1) >> 1) {
      heap[at] = heap[above]!;
      at = above;
    }
    heap[at] = timer;
    return timer;
  }

  nextMs(): number | undefined {
    while (this.#heap[0]?.isCancelled === true) this.#pop();
    return this.#heap[0]?.dueMs;
  }

  /** Moves what is due into a list. */
  due(nowMs: number, into: T[]): void {
    for (let next = this.nextMs(); next !== undefined && next <= nowMs; next = this.nextMs())
      into.push(this.#pop().value);
  }

  cancel(which: (value: T) => boolean): void {
    for (const timer of this.#heap) if (which(timer.value)) timer.isCancelled = true;
  }

  values(): readonly T[] {
    return this.#heap.filter(({ isCancelled }) => !isCancelled).map(({ value }) => value);
  }

  #pop(): Timer<T> {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && isEarlier(heap[below + 1]!, heap[below]!)) below++;
      if (!isEarlier(heap[below]!, last)) break;
      heap[at] = heap[below]!;
      at = below;
    }
    heap[at] = last;
    return first;
  }
}

const isEarlier = (a: Timer<unknown>, b: Timer<unknown>): boolean =>
  a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.number < b.number);
