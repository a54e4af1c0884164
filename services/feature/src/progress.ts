import { type Epoch, EPOCH_NONE, epochOf } from '@millrace/features';
import type { GlobalTable } from '@millrace/stream';
import type { ProgressValue } from './values.ts';

/** Heads and progress of all tasks of a pipeline, wherever they run. */
export class ProgressView {
  readonly #table: GlobalTable<ProgressValue>;
  readonly #tasks: number;
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;
  readonly #released = new Map<number, Epoch>();
  #headMax: Epoch = EPOCH_NONE;
  #releasedMin: Epoch = EPOCH_NONE;

  constructor(table: GlobalTable<ProgressValue>, tasks: number) {
    this.#table = table;
    this.#tasks = tasks;
    this.#stop = table.onChange(() => {
      this.#look();
      for (const listener of this.#listeners) listener();
    });
    this.#look();
  }

  /** The highest head of any source. */
  get headMax(): Epoch {
    return this.#headMax;
  }

  /** The epoch that every task has released. */
  get releasedMin(): Epoch {
    return this.#releasedMin;
  }

  /** The epoch that this task has released; committed, as far as is known. */
  releasedBy(task: number): Epoch {
    return this.#released.get(task) ?? EPOCH_NONE;
  }

  /** Returns how to stop listening. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#stop();
    this.#listeners.clear();
  }

  #look(): void {
    let headMax = EPOCH_NONE;
    let releasedMin = Infinity;
    for (const [, { task, head, released: parts }] of this.#table.entries()) {
      if (head !== null) headMax = Math.max(headMax, epochOf(head));
      const released = parts === null ? EPOCH_NONE : epochOf(parts);
      this.#released.set(task, released);
      releasedMin = Math.min(releasedMin, released);
    }
    this.#headMax = headMax;
    // A task that has said nothing yet has released nothing.
    this.#releasedMin = this.#table.size < this.#tasks ? EPOCH_NONE : releasedMin;
  }
}
