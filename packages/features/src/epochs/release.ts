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

interface Known {
  newest: Newest | undefined;
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
  const known = new Map<string, Known>();
  const newest = new Map<string, Newest>();
  const inOrder = rows.toSorted(phase === 'live' ? SOURCE_ORDER : FOLD_ORDER);
  const released = inOrder.map(row => {
    const { entity, eventTimeMs, sequence } = row;
    let one = known.get(entity);
    if (one === undefined) known.set(entity, (one = { newest: newestOf(entity) }));
    const aside = one.newest !== undefined && isOlder(row, one.newest);
    if (!aside) {
      one.newest = { eventTimeMs, sequence };
      newest.set(entity, one.newest);
    }
    return { row, aside };
  });
  return { released, newest };
}

const isOlder = (a: Newest, b: Newest): boolean =>
  a.eventTimeMs < b.eventTimeMs || (a.eventTimeMs === b.eventTimeMs && a.sequence < b.sequence);
