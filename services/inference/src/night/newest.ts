import type { Stretch } from '@millrace/contracts';
import type { Broker, PartitionOffset, TopicPartition } from '@millrace/stream';

/** Offsets in rising order, by `placeOf` their partition. */
export type Offsets = ReadonlyMap<string, Float64Array>;

export const placeOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** The newest vectors of a slice. */
export interface Newest {
  /** One for each entity. */
  readonly offsets: Offsets;
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
  const offsets = new Map<string, Float64Array>();
  let entities = 0;
  let tombstones = 0;
  for (const stretch of slice) {
    const last = await lastOffsets(broker, stretch, signal);
    const found = Float64Array.from(last.values()).filter(offset => offset >= 0);
    offsets.set(placeOf(stretch), found.sort());
    entities += found.length;
    tombstones += last.size - found.length;
  }
  return { offsets, entities, tombstones };
};

/** Every record of the stretches that is there. */
export const everyOf = async (
  broker: Broker,
  slice: readonly Stretch[],
  signal: AbortSignal,
): Promise<Offsets> => {
  const offsets = new Map<string, Float64Array>();
  for (const { topic, partition, from, until } of slice) {
    const found: number[] = [];
    const reading = { from: [{ topic, partition, offset: from }], until: [{ topic, partition, offset: until }], signal };
    if (from < until)
      for await (const run of broker.read(reading))
        for (let i = 0; i < run.length; i++) found.push(run.offset(i));
    signal.throwIfAborted();
    offsets.set(placeOf({ topic, partition }), Float64Array.from(found));
  }
  return offsets;
}; // prettier-ignore

export const countOf = (offsets: Offsets): number =>
  [...offsets.values()].reduce((sum, { length }) => sum + length, 0);

/** How many of them lie below what is committed. */
export const doneBelow = (offsets: Offsets, committed: readonly PartitionOffset[]): number =>
  committed.reduce(
    (sum, at) => sum + countBelow(offsets.get(placeOf(at)) ?? new Float64Array(), at.offset),
    0,
  );

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
