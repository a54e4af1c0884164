/**
 * Where the committed state of one task lies, beneath the overlay of what is not committed yet. Keys are those of the
 * changelog, the bookkeeping ones of `applied.ts` included. Memory here; a store on disk keeps the same promises.
 */
export interface StateStore {
  get(key: string): Uint8Array | undefined;
  entries(): Iterable<readonly [string, Uint8Array]>;
  readonly size: number;
  /** First changelog offset that may not be in the store yet; 0 for an empty one. Reading on from here is always safe. */
  readonly changelogNext: number;
  /** Applies changes whole or not at all; null deletes. `changelogNext` moves with them when given. */
  apply(
    changes: Iterable<readonly [string, Uint8Array | null]>,
    changelogNext?: number,
  ): void | Promise<void>;
  /** Forgets everything: its content cannot be trusted. */
  clear(): void | Promise<void>;
  close(): void | Promise<void>;
}

export function memoryStore(): StateStore {
  const map = new Map<string, Uint8Array>();
  let next = 0;
  return {
    get: key => map.get(key),
    entries: () => map.entries(),
    get size() {
      return map.size;
    },
    get changelogNext() {
      return next;
    },
    apply(changes, changelogNext) {
      for (const [key, value] of changes) {
        if (value === null) map.delete(key);
        else map.set(key, value);
      }
      if (changelogNext !== undefined) next = changelogNext;
    },
    clear() {
      map.clear();
      next = 0;
    },
    close: () => map.clear(),
  };
}
