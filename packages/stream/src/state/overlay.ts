import type { KeyedState } from '../task.ts';
import { appliedOf, isBookkeeping, mayBeBookkeeping } from './applied.ts';
import { GroupedMap } from './grouped.ts';
import type { Change, Mark, StateStore } from './store.ts';

type Changes = GroupedMap<Uint8Array | null>;

/** Bytes applied to a store before its mark is moved: what a crash makes us read again. */
const UNMARKED_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Keyed state of one task: uncommitted changes over the store. `cut` takes the changes made so far for one transaction;
 * `settle` puts them into the store once that is committed. A failed transaction throws the overlay away.
 */
export class OverlayState implements KeyedState {
  readonly #store: StateStore;
  readonly #changed: (bytes: number) => void;
  #fresh: Changes = new GroupedMap();
  #cut: Changes = new GroupedMap();
  /** Those of the cut, as a list. */
  #changes: readonly Change[] = [];
  #size: number;

  /**
   * @param topics inputs whose bookkeeping may be in the store.
   * @param changed called after each change with the bytes it adds to the next commit.
   */
  constructor(store: StateStore, topics: readonly string[], changed: (bytes: number) => void) {
    this.#store = store;
    this.#changed = changed;
    this.#size = store.size - topics.filter(topic => appliedOf(store, topic) !== undefined).length;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string): Uint8Array | undefined {
    const fresh = this.#fresh.get(key);
    return fresh === undefined ? this.#beneath(key) : (fresh ?? undefined);
  }

  put(key: string, value: Uint8Array): void {
    if (isBookkeeping(key))
      throw new TypeError('keys of state may not begin with the name of our bookkeeping');
    if (this.get(key) === undefined) this.#size++;
    this.#change(key, value);
  }

  delete(key: string): void {
    if (isBookkeeping(key) || this.get(key) === undefined) return;
    this.#size--;
    this.#change(key, null);
  }

  entries(): Iterable<readonly [string, Uint8Array]> {
    return this.#merged(layer => layer.entries());
  }

  inGroup(group: string): Iterable<readonly [string, Uint8Array]> {
    return this.#merged(layer => layer.inGroup(group));
  }

  nextKeys(prefix: string, max: number): readonly string[] {
    const keys = this.#store.nextKeys(prefix, max);
    // What they begin with tells it of nearly all.
    return mayBeBookkeeping(prefix) ? keys.filter(key => !isBookkeeping(key)) : keys;
  }

  /** Changes since the last cut. The one before must have been settled. */
  cut(): readonly Change[] {
    this.#cut = this.#fresh;
    this.#fresh = new GroupedMap();
    return (this.#changes = this.#cut.list());
  }

  /**
   * The cut is committed, together with this bookkeeping.
   * @param markNow how much of the changelog is committed now.
   */
  async settle(bookkeeping: readonly Change[], markNow: () => Promise<Mark>): Promise<void> {
    if (this.#cut.size > 0 || bookkeeping.length > 0) {
      const mark = this.#store.bytesSinceMark < UNMARKED_BYTES_MAX ? undefined : await markNow();
      await this.#store.apply([...this.#changes, ...bookkeeping], mark);
    }
    this.#cut = new GroupedMap();
    this.#changes = [];
  }

  *#merged(
    of: (layer: {
      entries(): Iterable<readonly [string, Uint8Array | null]>;
      inGroup(group: string): Iterable<readonly [string, Uint8Array | null]>;
    }) => Iterable<readonly [string, Uint8Array | null]>,
  ): Generator<readonly [string, Uint8Array]> {
    for (const [key, value] of of(this.#store))
      if (value !== null && !isBookkeeping(key) && !this.#cut.has(key) && !this.#fresh.has(key))
        yield [key, value];
    for (const [key, value] of of(this.#cut)) if (value !== null && !this.#fresh.has(key)) yield [key, value];
    for (const [key, value] of of(this.#fresh)) if (value !== null) yield [key, value];
  }

  #beneath(key: string): Uint8Array | undefined {
    const cut = this.#cut.get(key);
    return cut === undefined ? this.#store.get(key) : (cut ?? undefined);
  }

  #change(key: string, value: Uint8Array | null): void {
    this.#fresh.set(key, value);
    this.#changed(key.length + (value?.length ?? 0));
  }
}
