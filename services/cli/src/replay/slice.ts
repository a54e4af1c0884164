import type { Stretch } from '@millrace/contracts';
import type { Admin, PartitionOffset } from '@millrace/stream';
import { UsageError } from '../io.ts';

/** What is to be replayed, as somebody has asked for it. What is left out holds for all. */
export interface Asked {
  readonly topic: string;
  readonly partitions?: readonly number[];
  /** Offsets of each partition, both ends included. */
  readonly fromOffset?: number;
  readonly toOffset?: number;
  /** Append times, milliseconds since the epoch; the end is not included. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Topic to which it goes; it may be the same. */
  readonly to: string;
}

export interface Slice {
  readonly stretches: readonly Stretch[];
  /** Offsets that were asked for, and are no longer kept. */
  readonly gone: number;
}

/**
 * The offsets that are meant, as they are now: what is written later is not of the slice.
 * @throws UsageError where there is no such partition
 */
export const sliceOf = async (admin: Admin, asked: Asked): Promise<Slice> => {
  const { topic, partitions, fromOffset, toOffset, fromMs, toMs } = asked;
  const [begins, ends] = [await admin.beginningOffsets(topic), await admin.endOffsets(topic)];
  const missing = partitions?.find(number => !ends.some(({ partition }) => partition === number));
  if (missing !== undefined)
    throw new UsageError(`${topic} has no partition ${missing}; it has 0 to ${ends.length - 1}`);
  const starts = fromMs === undefined ? begins : await admin.offsetsAtTime(topic, fromMs);
  const stops = toMs === undefined ? ends : await admin.offsetsAtTime(topic, toMs);
  const at = (offsets: readonly PartitionOffset[], number: number): number =>
    offsets.find(({ partition }) => partition === number)!.offset;
  let gone = 0;
  const stretches = ends
    .filter(({ partition }) => partitions?.includes(partition) ?? true)
    .toSorted((a, b) => a.partition - b.partition)
    .map(({ partition, offset: end }): Stretch => {
      const begin = at(begins, partition);
      const first = fromOffset ?? at(starts, partition);
      const behind = Math.min(end, toOffset === undefined ? at(stops, partition) : toOffset + 1);
      gone += Math.max(0, Math.min(begin, behind) - first);
      const from = Math.min(Math.max(first, begin), end);
      return { topic, partition, from, until: Math.max(from, behind) };
    });
  return { stretches, gone };
};

export const offsetsIn = (stretches: readonly Stretch[]): number =>
  stretches.reduce((sum, { from, until }) => sum + until - from, 0);
