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

export interface Release<Row> {
  readonly row: Row;
  /** True: older than the entity's newest, so it must not stand after it on the compacted topic. */
  readonly aside: boolean;
}

const SOURCE_ORDER = (a: Releasable, b: Releasable): number =>
  a.partition - b.partition || a.offset - b.offset;
/** Of a replay, where arrival says nothing: no vector is older than its entity's newest. */
const FOLD_ORDER = (a: Releasable, b: Releasable): number =>
  a.eventTimeMs - b.eventTimeMs || a.sequence - b.sequence || SOURCE_ORDER(a, b);

/**
 * Puts the rows of one epoch into source order, so that an entity's vectors never overtake each other, of a replay into
 * the order of their fold, and says which are older than what their entity has released. `newestOf` is asked once per
 * entity; what it should answer from now on is in `newest`.
 */
export function release<Row extends Releasable>(
  rows: readonly Row[],
  newestOf: (entity: string) => Newest | undefined,
  phase: EpochPhase = 'live',
): { readonly released: readonly Release<Row>[]; readonly newest: ReadonlyMap<string, Newest> } {
  const known = new Map<string, Newest | undefined>();
  const newest = new Map<string, Newest>();
  const inOrder = [...rows].sort(phase === 'live' ? SOURCE_ORDER : FOLD_ORDER);
  const released = inOrder.map(row => {
    if (!known.has(row.entity)) known.set(row.entity, newestOf(row.entity));
    const seen = known.get(row.entity);
    const aside = seen !== undefined && isOlder(row, seen);
    if (!aside) {
      const { eventTimeMs, sequence } = row;
      known.set(row.entity, { eventTimeMs, sequence });
      newest.set(row.entity, { eventTimeMs, sequence });
    }
    return { row, aside };
  });
  return { released, newest };
}

const isOlder = (a: Newest, b: Newest): boolean =>
  a.eventTimeMs < b.eventTimeMs || (a.eventTimeMs === b.eventTimeMs && a.sequence < b.sequence);
