import type { Stretch } from '@millrace/contracts';
import type { Broker } from '@millrace/stream';

/** The newest vectors of a slice. */
export interface Newest {
  /** By partition: offsets in rising order, one for each entity. */
  readonly offsets: ReadonlyMap<number, Float64Array>;
  readonly entities: number;
  /** Entities whose last record says that they are gone. */
  readonly tombstones: number;
}

/** Adds to the last offset of each key what one partition holds; a tombstone's is negative. */
const lastOffsets = async (
  broker: Broker,
  { topic, partition, from, until }: Stretch,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> => {
  const last = new Map<string, number>();
  if (from >= until) return last;
  const reading = { from: [{ topic, partition, offset: from }], until: [{ topic, partition, offset: until }], signal };
  for await (const run of broker.read(reading))
    for (let i = 0; i < run.length; i++) {
      const key = Buffer.from(run.key(i) ?? []).toString('latin1');
      last.set(key, run.value(i) === null ? -1 : run.offset(i));
    }
  signal.throwIfAborted();
  return last;
}; // prettier-ignore

/**
 * Finds the last record of each entity inside the slice. One partition at a time, so that the keys of one are in memory,
 * and of the others the offsets only.
 */
export const newestOf = async (
  broker: Broker,
  slice: readonly Stretch[],
  signal: AbortSignal,
): Promise<Newest> => {
  const offsets = new Map<number, Float64Array>();
  let entities = 0;
  let tombstones = 0;
  for (const stretch of slice) {
    const last = await lastOffsets(broker, stretch, signal);
    const found = Float64Array.from(last.values()).filter(offset => offset >= 0);
    offsets.set(stretch.partition, found.sort());
    entities += found.length;
    tombstones += last.size - found.length;
  }
  return { offsets, entities, tombstones };
};

/** How many of these offsets, in rising order, are below one. */
export const countBelow = (offsets: Float64Array, offset: number): number => {
  let [low, high] = [0, offsets.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (offsets[middle]! < offset) low = middle + 1;
    else high = middle;
  }
  return low;
};
