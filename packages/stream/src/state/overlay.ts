import type { KeyedState } from '../task.ts';
import type { OutRecord, TopicPartition } from '../broker/port.ts';
import { appliedOf, isBookkeeping, mayBeBookkeeping } from './applied.ts';
import { ChangeMemory, Changes } from './changes.ts';
import type { Change, Mark, StateStore } from './store.ts';

/** Bytes applied to a store before its mark is moved: what a crash makes us read again. */
const UNMARKED_BYTES_MAX = 4 * 1024 * 1024;

/**
 * Keyed state of one task: uncommitted changes over the store. `cut` takes the changes made so far for one transaction;
 * `settle` puts them into the store once that is committed. A failed transaction throws the overlay away.
 */
export class OverlayState implements KeyedState {
  readonly #store: StateStore;
  readonly #changed: (bytes: number) => void;
  readonly #memory: ChangeMemory;
  #fresh: Changes;
  #cut: Changes;
  #size: number;

  /**
   * @param changelog where changes go.
   * @param topics inputs whose bookkeeping may be in the store.
   * @param changed called after each change with the bytes it adds to the next commit.
   */
  constructor(
    store: StateStore,
    changelog: TopicPartition,
    topics: readonly string[],
    changed: (bytes: number) => void,
  ) {
    this.#store = store;
    this.#memory = new ChangeMemory(changelog);
    this.#fresh = new Changes(this.#memory);
    this.#cut = new Changes(this.#memory);
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
    if (!this.#has(key)) this.#size++;
    this.#fresh.put(key, value);
    this.#changed(key.length + value.length);
  }

  delete(key: string): void {
    if (isBookkeeping(key) || !this.#has(key)) return;
    this.#size--;
    this.#fresh.delete(key);
    this.#changed(key.length);
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

  /** Changes since the last cut, as the changelog gets them. The one before must have been settled. */
  cut(): readonly OutRecord[] {
    this.#cut = this.#fresh;
    this.#fresh = new Changes(this.#memory);
    return this.#cut.records();
  }

  /**
   * The cut is committed, together with this bookkeeping.
   * @param markNow how much of the changelog is committed now.
   */
  async settle(bookkeeping: readonly Change[], markNow: () => Promise<Mark>): Promise<void> {
    if (this.#cut.size > 0 || bookkeeping.length > 0) {
      const mark = this.#store.bytesSinceMark < UNMARKED_BYTES_MAX ? undefined : await markNow();
      await this.#store.apply(both(this.#cut.entries(), bookkeeping), mark);
    }
    this.#cut.letGo();
    this.#cut = new Changes(this.#memory);
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

  #has(key: string): boolean {
    return this.#fresh.puts(key) ?? this.#cut.puts(key) ?? this.#store.has(key);
  }
}

function* both(first: Iterable<Change>, second: Iterable<Change>): Generator<Change> {
  yield* first;
  yield* second;
}
