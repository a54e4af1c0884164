import { GroupedMap } from './grouped.ts';
import { Slabs } from './slabs.ts';

/** How much of a changelog is in a store. */
export interface Mark {
  /** Kafka's id of the changelog topic: a recreated one has another. */
  readonly topicId: string;
  /** First offset that may not be in the store yet. Reading on from here is always safe. */
  readonly next: number;
  /** When `next` was asked for, milliseconds since the epoch: tombstones of before may be gone some day. */
  readonly atMs: number;
}

export type Change = readonly [key: string, value: Uint8Array | null];

/**
 * Where the committed state of one task lies, beneath the overlay of what is not committed yet. Keys are those of the
 * changelog, the bookkeeping ones of `applied.ts` included. In memory here, on disk in `lmdb/`: both keep one contract.
 */
export interface StateStore {
  /** Good until the next change is applied, as all that is read here. */
  get(key: string): Uint8Array | undefined;
  has(key: string): boolean;
  /** Entries of one group (`grouped.ts`), in no particular order. */
  inGroup(group: string): Iterable<readonly [string, Uint8Array]>;
  entries(): Iterable<readonly [string, Uint8Array]>;
  readonly size: number;
  /** Undefined where nothing is known of the content: an empty store, or one that cannot be trusted. */
  readonly mark: Mark | undefined;
  /** Bytes applied since the mark was set: what has to be read again after a crash. */
  readonly bytesSinceMark: number;
  /**
   * Applies copies of changes; null deletes. They can be read at once. With a mark, the store is on its way to hold it and all
   * changes so far; a failure to write is thrown by a later call, and the store then holds what its mark says.
   */
  apply(changes: Iterable<Change>, mark?: Mark): void | Promise<void>;
  /**
   * Looks at the next so many keys of an endless walk over all, one walk for each prefix, and names those that begin
   * with it. A key that stays is met once in each round.
   */
  nextKeys(prefix: string, max: number): readonly string[];
  /** Forgets everything: its content cannot be trusted. */
  clear(): void | Promise<void>;
  close(): void | Promise<void>;
}

export function memoryStore(): StateStore {
  const places = new GroupedMap<number>();
  let values = new Slabs();
  let known: Mark | undefined;
  let bytes = 0;
  const walks = new Map<string, MapIterator<string>>();
  return {
    get: key => {
      const place = places.get(key);
      return place === undefined ? undefined : values.get(place);
    },
    has: key => places.has(key),
    inGroup: group => valuesAt(places.inGroup(group), values),
    entries: () => valuesAt(places.entries(), values),
    get size() {
      return places.size;
    },
    get mark() {
      return known;
    },
    get bytesSinceMark() {
      return bytes;
    },
    apply(changes, mark) {
      for (const [key, value] of changes) {
        bytes += key.length + (value?.length ?? 0);
        const before = places.get(key);
        if (value !== null) places.set(key, values.set(before, value));
        else if (before !== undefined) {
          places.delete(key);
          values.free(before);
        }
      }
      if (mark === undefined) return;
      known = mark;
      bytes = 0;
    },
    nextKeys(prefix, max) {
      const walk = walks.get(prefix) ?? places.keys();
      walks.set(prefix, walk);
      const keys: string[] = [];
      for (let looked = 0; looked < max; looked++) {
        const next = walk.next();
        if (next.done === true) {
          walks.delete(prefix);
          break;
        }
        if (next.value.startsWith(prefix)) keys.push(next.value);
      }
      return keys;
    },
    clear() {
      places.clear();
      values = new Slabs();
      known = undefined;
      bytes = 0;
    },
    close: () => places.clear(),
  };
}

function* valuesAt(
  places: Iterable<readonly [string, number]>,
  values: Slabs,
): Generator<readonly [string, Uint8Array]> {
  for (const [key, place] of places) yield [key, values.get(place)];
}
