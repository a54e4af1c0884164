import { rmSync } from 'node:fs';
import { mkdir, open as openFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { open, type RootDatabase } from 'lmdb';

export type Environment = RootDatabase<Uint8Array, Uint8Array>;

const DATA = 'data.mdb';
const OWNER = 'owner';
/** How often it was opened since it was last let go in good order, or found to be sound. */
const OPENS = 'opens';
const OPENS_MAX = 3;
/** In the first page; the second is like it. */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;
const FIRST_PAGES_BYTES = 2 * 4096;

/**
 * A folder that this process owns alone, with one LMDB environment in it. Ownership is the operating system's lock on a
 * file, which ends with the process however it ends; node has no call for such locks, its SQLite takes one.
 */
export class StateFolder {
  readonly path: string;
  readonly #lock: DatabaseSync;

  private constructor(path: string, lock: DatabaseSync) {
    this.path = path;
    this.#lock = lock;
  }

  /** @throws Error where another process, or another store of this one, has it. */
  static async own(path: string): Promise<StateFolder> {
    await mkdir(path, { recursive: true });
    const lock = new DatabaseSync(join(path, OWNER), { timeout: 0 });
    try {
      lock.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    } catch (cause) {
      lock.close();
      throw new Error(
        'the folder of a task is in use by another process; give each process a state folder of its own, or wait for it to let go',
        { cause },
      );
    }
    return new StateFolder(path, lock);
  }

  /**
   * Opens what is there, or something empty where there is nothing, or nothing that can be opened. LMDB believes its pages:
   * one that is damaged may end the process as it is read, at each start. So what several owners in a row have not lived to
   * let go, nor to find sound, is not trusted.
   */
  async open(): Promise<Environment> {
    if ((await this.#countOpening()) > OPENS_MAX) return this.empty();
    try {
      if (await this.#isLmdb()) {
        const environment = this.#open();
        if (await this.#isWhole(environment)) return environment;
        await environment.close();
      }
    } catch (error) {
      if (isOutOfSpace(error)) throw error;
      // Whatever it is, it is no store of ours: the changelog has everything.
    }
    return this.empty();
  }

  /** Deletes the files, which also gives their space back, and opens something empty. */
  async empty(): Promise<Environment> {
    for (const name of [DATA, `${DATA}-lock`, OPENS]) await rm(join(this.path, name), { force: true });
    return this.#open();
  }

  /** Everything in it was read, and it was written to: whoever ends its owner from now on, its pages do not. */
  trust(): void {
    rmSync(join(this.path, OPENS), { force: true });
  }

  /** Lets it go in good order. */
  release(): void {
    this.trust();
    this.#lock.close();
  }

  /** @returns how often in a row it has been opened, this time included */
  async #countOpening(): Promise<number> {
    const file = join(this.path, OPENS);
    const opens = Number(await readFile(file, 'utf8').catch(() => '0')) + 1;
    await writeFile(file, String(opens));
    return opens;
  }

  #open(): Environment {
    return open<Uint8Array, Uint8Array>({
      path: join(this.path, DATA),
      noSubdir: true,
      encoding: 'binary',
      keyEncoding: 'binary',
      // What is one transaction is said by `batch`; the batch of an event turn would fail unheard.
      eventTurnBatching: false,
      // A commit is flushed before it is told of: with flushes of their own, one that failed would never let go.
      overlappingSync: false,
      // Values are looked up once and decoded: a cache in front would hold them twice.
      cache: false,
    });
  }

  /** LMDB takes the file at its word from the first page on, and would end the process over another kind of file. */
  async #isLmdb(): Promise<boolean> {
    const file = await openFile(join(this.path, DATA)).catch(() => undefined);
    if (file === undefined) return false;
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(FIRST_PAGES_BYTES), 0, FIRST_PAGES_BYTES, 0);
      return bytesRead === FIRST_PAGES_BYTES && buffer.readUInt32LE(MAGIC_AT) === MAGIC;
    } finally {
      await file.close();
    }
  }

  /** LMDB maps the file: a page that should be there and is not would end the process. */
  async #isWhole(environment: Environment): Promise<boolean> {
    const { pageSize, lastPageNumber } = environment.getStats() as {
      readonly pageSize: number;
      readonly lastPageNumber: number;
    };
    const { size } = await stat(join(this.path, DATA));
    return size >= (lastPageNumber + 1) * pageSize;
  }
}

const isOutOfSpace = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOSPC';
