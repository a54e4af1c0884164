import { join } from 'node:path';
import { groupOf } from '../state/grouped.ts';
import type { Change, Mark, StateStore } from '../state/store.ts';
import { type Environment, StateFolder } from './folder.ts';
import { Layer } from './layer.ts';
import { decodeEntry, encodeKey, encodeValue, groupRanges, LAYOUT, META_KEY } from './record.ts';

/** Opens the stores of tasks, each in a folder of its own beneath `folder`. */
export const lmdbStores =
  (folder: string): ((task: number) => Promise<StateStore>) =>
  task =>
    LmdbStore.open(join(folder, String(task)));

interface Meta {
  readonly layout: number;
  readonly mark: Mark;
}

type Entry = readonly [key: string, value: Uint8Array];

/**
 * State on disk. What is applied gathers in memory and is written, by a thread of LMDB's, each time that a mark comes
 * with it: whole and with its mark, or not at all. After a crash the mark says from where the changelog has the rest.
 * What is written may be read from the layers in memory until it is on disk.
 */
class LmdbStore implements StateStore {
  readonly #folder: StateFolder;
  #environment: Environment;
  /** Applied since the last mark. */
  #fresh = new Layer();
  /** On its way to disk. */
  #leaving = new Layer();
  #writing: Promise<void> = Promise.resolve();
  #failure: Error | undefined;
  #isDamaged = false;
  #mark: Mark | undefined;
  #size = 0;
  /** A walk has come to its end: every entry was read. */
  #isRead = false;
  /** By prefix. */
  readonly #walks = new Map<string, Uint8Array>();

  private constructor(folder: StateFolder, environment: Environment) {
    this.#folder = folder;
    this.#environment = environment;
  }

  static async open(path: string): Promise<LmdbStore> {
    const folder = await StateFolder.own(path);
    try {
      const store = new LmdbStore(folder, await folder.open());
      if (!store.#readMark()) await store.clear();
      return store;
    } catch (error) {
      folder.release();
      throw error;
    }
  }

  get size(): number {
    return this.#size;
  }

  get mark(): Mark | undefined {
    return this.#isDamaged ? undefined : this.#mark;
  }

  get bytesSinceMark(): number {
    return this.#fresh.bytes;
  }

  get(key: string): Uint8Array | undefined {
    const layered = this.#layered(key);
    if (layered !== undefined) return layered ?? undefined;
    const encoded = encodeKey(key);
    return this.#trusting(() => {
      const bytes = this.#environment.getBinary(encoded);
      return bytes === undefined ? undefined : decodeEntry(encoded, bytes)[1];
    });
  }

  has(key: string): boolean {
    const layered = this.#layered(key);
    return layered === undefined
      ? this.#trusting(() => this.#environment.doesExist(encodeKey(key)))
      : layered !== null;
  }

  *inGroup(group: string): Generator<Entry> {
    for (const range of groupRanges(group))
      for (const entry of this.#onDisk(range)) if (groupOf(entry[0]) === group) yield entry;
    yield* this.#inMemory(layer => layer.inGroup(group));
  }

  *entries(): Generator<Entry> {
    yield* this.#onDisk({ end: META_KEY });
    yield* this.#inMemory(layer => layer.entries());
  }

  async apply(changes: Iterable<Change>, mark?: Mark): Promise<void> {
    this.#throwFailure();
    for (const [key, value] of changes) {
      const had = this.has(key);
      if (had !== (value !== null)) this.#size += had ? -1 : 1;
      this.#fresh.set(key, value === null ? null : new Uint8Array(value));
    }
    if (mark === undefined) return;
    await this.#writing;
    this.#throwFailure();
    this.#leaving = this.#fresh;
    this.#fresh = new Layer();
    this.#mark = mark;
    this.#writing = this.#write(this.#leaving, mark).then(
      () => {
        this.#leaving = new Layer();
      },
      (error: unknown) => {
        this.#failure = error as Error;
      },
    );
  }

  nextKeys(prefix: string, max: number): readonly string[] {
    const start = this.#walks.get(prefix);
    const options = { end: META_KEY, limit: max + 1, ...(start && { start }) };
    const found = this.#trusting(() => [...this.#environment.getRange(options)]);
    const more = found[max];
    if (more !== undefined) this.#walks.set(prefix, more.key);
    const keys = found
      .slice(0, max)
      .map(({ key, value }) => this.#trusting(() => decodeEntry(key, value)[0]));
    if (more === undefined) {
      this.#walks.delete(prefix);
      this.#isRead = true;
    }
    return keys.filter(key => key.startsWith(prefix));
  }

  async clear(): Promise<void> {
    await this.#writing;
    await this.#environment.close();
    this.#environment = await this.#folder.empty();
    this.#forget();
  }

  /** What has no mark yet is not written: the changelog has it. */
  async close(): Promise<void> {
    await this.#writing;
    await this.#environment.close();
    this.#folder.release();
  }

  /** @returns whether what is there can be read, and was written by this layout. */
  #readMark(): boolean {
    this.#forget();
    const entries = this.#entriesOnDisk();
    let bytes: Uint8Array | undefined;
    try {
      bytes = this.#environment.getBinary(META_KEY);
    } catch {
      return false;
    }
    if (bytes === undefined) return entries === 0;
    const meta = JSON.parse(new TextDecoder().decode(bytes)) as Meta;
    if (meta.layout !== LAYOUT) return false;
    this.#mark = meta.mark;
    this.#size = entries - 1;
    return true;
  }

  #forget(): void {
    this.#fresh = new Layer();
    this.#leaving = new Layer();
    this.#failure = undefined;
    this.#isDamaged = false;
    this.#mark = undefined;
    this.#size = 0;
    this.#walks.clear();
  }

  #entriesOnDisk(): number {
    return (this.#environment.getStats() as { readonly entryCount: number }).entryCount;
  }

  async #write(layer: Layer, mark: Mark): Promise<void> {
    try {
      await commit(this.#environment, layer.entries(), { layout: LAYOUT, mark });
    } catch (cause) {
      if (isDamage(await commitError(cause))) this.#isDamaged = true;
      throw new Error('the local state could not be written; is its disk full?', { cause });
    }
    this.#environment.resetReadTxn();
    // A write alone would not do: a page that ends the process may be read long after it.
    if (this.#isRead) this.#folder.trust();
    this.#isRead = false;
  }

  /** After a failed write the store is what its mark on disk says; whoever hears of it restores the rest. */
  #throwFailure(): void {
    const failure = this.#failure;
    const isDamaged = this.#isDamaged;
    if (failure !== undefined) this.#readMark();
    this.#isDamaged = isDamaged;
    if (failure !== undefined) throw failure;
    if (isDamaged) throw new Error(DAMAGED);
  }

  /** Reads from disk; what cannot be read is not trusted again until it is cleared. */
  #trusting<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      this.#isDamaged = true;
      throw new Error(DAMAGED, { cause });
    }
  }

  #layered(key: string): Uint8Array | null | undefined {
    const fresh = this.#fresh.get(key);
    return fresh === undefined ? this.#leaving.get(key) : fresh;
  }

  *#onDisk(range: { readonly start?: Uint8Array; readonly end: Uint8Array }): Generator<Entry> {
    const found = this.#trusting(() => this.#environment.getRange(range)[Symbol.iterator]());
    for (;;) {
      const next = this.#trusting(() => found.next());
      if (next.done === true) return;
      const entry = this.#trusting(() => decodeEntry(next.value.key, next.value.value));
      if (this.#layered(entry[0]) === undefined) yield entry;
    }
  }

  *#inMemory(of: (layer: Layer) => Iterable<readonly [string, Uint8Array | null]>): Generator<Entry> {
    for (const [key, value] of of(this.#leaving))
      if (value !== null && !this.#fresh.has(key)) yield [key, value];
    for (const [key, value] of of(this.#fresh)) if (value !== null) yield [key, value];
  }
}

const DAMAGED = 'the local state is damaged: it is built again from the changelog';

async function commit(environment: Environment, changes: Iterable<Change>, meta: Meta): Promise<void> {
  // Some within a batch are answered by themselves as well; the batch as a whole is what we wait for.
  const part = (answer: Promise<boolean>): void => void answer.catch(() => undefined);
  await environment.batch(() => {
    part(environment.put(META_KEY, new TextEncoder().encode(JSON.stringify(meta))));
    for (const [key, value] of changes) {
      const encoded = encodeKey(key);
      if (value === null) part(environment.remove(encoded));
      else part(environment.put(encoded, encodeValue(key, encoded, value)));
    }
  });
}

/** LMDB's own numbers, for pages that are not what they should be; those of the system are above. */
const isDamage = (error: unknown): boolean => Number((error as { readonly code?: unknown }).code) < -30_000;

/** Why a commit failed; lmdb tells it through a promise beside its error, at about the same time. */
async function commitError(thrown: unknown): Promise<unknown> {
  const { commitError: told } = thrown as { readonly commitError?: Promise<never> };
  const soon = new Promise<unknown>(resolve => setImmediate(() => resolve(thrown)));
  try {
    return await Promise.race([told ?? thrown, soon]);
  } catch (reason) {
    return reason;
  }
}
