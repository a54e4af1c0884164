/** One entity in memory, as the cache sees it. */
export interface CachedEntity {
  /** What it takes, about. */
  bytes: number;
  /** Asked for since the cache last looked. */
  isUsed: boolean;
  /** Changed since it was last written: it must stay. */
  isTouched: boolean;
  /** Forgets it; it is read again when it is needed. */
  evict(): void;
}

/**
 * Entities of all tasks of a process that are kept in memory, bounded in bytes together. Which of them go is decided
 * by second chance: the longest kept that nobody has asked for since the last look. State of any size works; what is
 * in here saves reading it again.
 */
export class EntityCache {
  readonly #bytesMax: number;
  readonly #entities = new Set<CachedEntity>();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entities.size;
  }

  add(entity: CachedEntity): void {
    this.#entities.add(entity);
    this.#bytes += entity.bytes;
  }

  resize(entity: CachedEntity, bytes: number): void {
    this.#bytes += bytes - entity.bytes;
    entity.bytes = bytes;
  }

  remove(entity: CachedEntity): void {
    if (this.#entities.delete(entity)) this.#bytes -= entity.bytes;
  }

  /**
   * Comes back within the bound, as far as what is not written yet allows. One entity stays, however large: it has to be
   * in memory whenever an event of it comes, and to read a hot one again for each commit would cost all of its size.
   */
  shrink(): void {
    let left = this.#entities.size * 2;
    for (const entity of this.#entities) {
      if (this.#bytes <= this.#bytesMax || this.#entities.size === 1 || left-- <= 0) return;
      this.#entities.delete(entity);
      if (entity.isUsed || entity.isTouched) {
        entity.isUsed = false;
        this.#entities.add(entity);
      } else {
        this.#bytes -= entity.bytes;
        entity.evict();
      }
    }
  }
}
