import type { EpochPhase } from './number.ts';

/** Newest event of an entity whose vector was released. */
export interface Newest {
  readonly eventTimeMs: number;
  readonly sequence: number;
}

/** A row with the source coordinates of its event: those of the scored stream. */
export interface Releasable extends Newest {
  readonly entity: string;
  readonly partition: number;
  readonly offset: number;
}

/** Newest of an entity, as far as is known here. */
interface Known {
  readonly entity: string;
  /** Minus infinity where none was released. */
  eventTimeMs: number;
  sequence: number;
  isChanged: boolean;
}

const SOURCE_ORDER = (a: Releasable, b: Releasable): number =>
  a.partition - b.partition || a.offset - b.offset;
/** Of a replay, where arrival says nothing: no vector is older than its entity's newest. */
const FOLD_ORDER = (a: Releasable, b: Releasable): number =>
  a.eventTimeMs - b.eventTimeMs || a.sequence - b.sequence || SOURCE_ORDER(a, b);

/**
 * Rows of one epoch in the order in which they are released: in source order, so that an entity's vectors never overtake
 * each other, of a replay in the order of their fold.
 */
export const inReleaseOrder = <Row extends Releasable>(
  rows: readonly Row[],
  phase: EpochPhase,
): readonly Row[] => rows.toSorted(phase === 'live' ? SOURCE_ORDER : FOLD_ORDER);

/** Entities of which the newest is kept to be at hand; it is asked for again where they were more. */
const KNOWN_MAX = 4_096;

/** Tells of rows, in the order of their release, which are older than what their entity has released. */
export class Releasing {
  readonly #newestOf: (entity: string) => Newest | undefined;
  readonly #known = new Map<string, Known>();
  #changed: Known[] = [];

  /** @param newestOf asked once for each entity, and again when much else was: nobody else may move what it answers */
  constructor(newestOf: (entity: string) => Newest | undefined) {
    this.#newestOf = newestOf;
  }

  isAside(entity: string, eventTimeMs: number, sequence: number): boolean {
    let known = this.#known.get(entity);
    if (known === undefined) {
      const newest = this.#newestOf(entity) ?? { eventTimeMs: Number.NEGATIVE_INFINITY, sequence: 0 };
      known = { entity, eventTimeMs: newest.eventTimeMs, sequence: newest.sequence, isChanged: false };
      this.#known.set(entity, known);
    }
    if (eventTimeMs < known.eventTimeMs) return true;
    if (eventTimeMs === known.eventTimeMs && sequence < known.sequence) return true;
    known.eventTimeMs = eventTimeMs;
    known.sequence = sequence;
    if (!known.isChanged) {
      known.isChanged = true;
      this.#changed.push(known);
    }
    return false;
  }

  /** What `newestOf` should answer from now on, where that has changed. */
  takeNewest(): readonly (readonly [entity: string, newest: Newest])[] {
    const changed = this.#changed.map(known => {
      known.isChanged = false;
      const { entity, eventTimeMs, sequence } = known;
      return [entity, { eventTimeMs, sequence }] as const;
    });
    this.#changed = [];
    if (this.#known.size > KNOWN_MAX) this.#known.clear();
    return changed;
  }
}
