import { crc32 } from 'node:zlib';
import type { Answer } from './answer.ts';
import { type SideName } from './sides.ts';

/** What is compared: an entity, or an event. */
export interface Unit {
  /** Offset of its newest vector in the slice of each side; -1: its last record says that it is gone; undefined: not there, or not known. */
  readonly expected: Record<SideName, number | undefined>;
  readonly answers: Record<SideName, Answer | undefined>;
  /** The stream answered it by a vector of another version of the feature set. */
  otherSet: boolean;
  /** Answers that came again: under an id that was there, or of a night a second one for its entity. */
  repeats: Record<SideName, number> | undefined;
}

export const GONE = -1;

/** Units that are in memory at once, with both answers some 1,000 bytes each. */
export const UNITS_MAX = 250_000;
const HASHES = 2 ** 32;

/** Part of all hashes of entities: from `low`, `width` of them. */
export interface HashRange {
  readonly low: number;
  readonly width: number;
}

export const EVERY_HASH: HashRange = { low: 0, width: HASHES };

/**
 * The units of entities that hash into a range. When there are more than may be held, the range is halved and what falls out of
 * it is let go; `rest` is what another pass over the same records has to begin with.
 */
export class UnitTable {
  readonly units = new Map<string, Unit>();
  readonly #low: number;
  readonly #unitsMax: number;
  readonly #entityOf: (key: string) => string;
  #high: number;

  constructor({ low, width }: HashRange, unitsMax: number, entityOf: (key: string) => string) {
    this.#low = low;
    this.#high = Math.min(low + width, HASHES);
    this.#unitsMax = unitsMax;
    this.#entityOf = entityOf;
  }

  get rest(): HashRange | undefined {
    const [low, width] = [this.#high, this.#high - this.#low];
    return low === HASHES ? undefined : { low, width };
  }

  /** The unit of a key, made where there is none yet; undefined where it belongs to another pass. */
  of(key: string): Unit | undefined {
    const known = this.units.get(key);
    if (known !== undefined) return known;
    if (!this.holds(this.#entityOf(key))) return undefined;
    const unit: Unit = { expected: { run: undefined, against: undefined }, answers: { run: undefined, against: undefined }, otherSet: false, repeats: undefined };
    this.units.set(key, unit);
    while (this.units.size > this.#unitsMax) this.#narrow();
    return unit;
  } // prettier-ignore

  /** @param entity its name, or the same as the bytes of a record's key */
  holds(entity: string | Uint8Array): boolean {
    const hash = crc32(entity);
    return hash >= this.#low && hash < this.#high;
  }

  #narrow(): void {
    const width = this.#high - this.#low;
    if (width === 1) throw new RangeError(`more than ${this.#unitsMax} units of entities with one hash`);
    this.#high = this.#low + Math.ceil(width / 2);
    for (const key of this.units.keys()) if (!this.holds(this.#entityOf(key))) this.units.delete(key);
  }
}
