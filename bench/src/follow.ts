/** Reads topics beside those who write them: when a reader of committed records saw each, and when the broker appended it. */
import type { PartitionOffset } from '@millrace/stream';
import type { BenchWorld } from './world/open.ts';

/** Until the records of the last transaction can be read. */
export const MARKERS_MS = 500;

/** First place in ascending values that is not below the one given. */
const lowerBound = (ascending: readonly number[], value: number): number => {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Records of one topic with the time at which a reader saw each, milliseconds. */
export class Sightings {
  readonly #seen = new Map<number, { readonly offsets: number[]; readonly times: number[] }>();
  #size = 0;

  /** Records of one partition come in the order of their offsets. */
  add(partition: number, offset: number, atMs: number): void {
    const own = this.#seen.get(partition) ?? { offsets: [], times: [] };
    this.#seen.set(partition, own);
    own.offsets.push(offset);
    own.times.push(atMs);
    this.#size++;
  }

  get size(): number {
    return this.#size;
  }

  /** Undefined where it was not seen. */
  at(partition: number, offset: number): number | undefined {
    const own = this.#seen.get(partition);
    if (own === undefined) return undefined;
    const place = lowerBound(own.offsets, offset);
    return own.offsets[place] === offset ? own.times[place] : undefined;
  }

  /** How many lie before these offsets, by partition. */
  before(next: ReadonlyMap<number, number>): number {
    let count = 0;
    for (const [partition, { offsets }] of this.#seen) count += lowerBound(offsets, next.get(partition) ?? 0);
    return count;
  }
}

/** Notes when each record is seen by a reader of committed ones: in a transaction that is later than when it was written. */
export const follow = async (
  { broker, clock }: Pick<BenchWorld, 'broker' | 'clock'>,
  from: readonly PartitionOffset[],
  seen: Sightings,
  signal: AbortSignal,
): Promise<void> => {
  for await (const run of broker.read({ from, signal })) {
    const nowMs = clock.now();
    for (let i = 0; i < run.length; i++) seen.add(run.partition, run.offset(i), nowMs);
  }
};

/** When the broker appended the record at an offset of a partition, milliseconds. */
export type AppendTime = (partition: number, offset: number) => number;

/** Of the records from `from` on, on a topic without gaps: the bench writes there itself, in no transaction. */
export const appendTimes = async (
  { broker }: Pick<BenchWorld, 'broker'>,
  topic: string,
  from: readonly PartitionOffset[],
): Promise<AppendTime> => {
  const times = new Map(from.map(({ partition }) => [partition, [] as number[]]));
  const begin = new Map(from.map(({ partition, offset }) => [partition, offset]));
  const until = await broker.admin.endOffsets(topic);
  for await (const run of broker.read({ from, until })) {
    const own = times.get(run.partition)!;
    for (let i = 0; i < run.length; i++) own.push(run.appendTimeMs(i));
  }
  return (partition, offset) => times.get(partition)![offset - begin.get(partition)!]!;
};
