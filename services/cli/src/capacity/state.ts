/** How large state is, where it lies, and how long it takes to come back. Pure. */
import { RESTORED_SEGMENT_BYTES } from '@millrace/contracts';
import type { Measured } from './coefficients.ts';
import type { Shape, Wish } from './wish.ts';

/** Kafka's default of `segment.ms`, by which a segment is closed all the same. */
const SEGMENT_S = 7 * 86_400;
/** Kafka's default of `min.cleanable.dirty.ratio`, 0.5: as much again may wait to be compacted. */
const UNCOMPACTED = 2;

export interface StateSize {
  /** Of all entities, compacted. */
  readonly bytes: number;
  /** Of one partition of the changelog as it lies on a broker, at most. */
  readonly changelogBytesPerPartition: number;
  /** Of the local stores of all processes, where state is kept on disk. */
  readonly diskBytes: number;
  /** Of one process without a folder that fits: the changelog of all its partitions. Seconds. */
  readonly restoreS: number;
  /** Of entities in the memory of one process. */
  readonly memoryBytes: number;
}

export interface Spread {
  readonly partitions: number;
  /** Partitions of the process that has most. */
  readonly partitionsOfOne: number;
  /** Bytes a second that are written to the changelog, all partitions. */
  readonly writtenPerS: number;
  /** `FEATURE_STATE_CACHE_BYTES_MAX`. */
  readonly cacheBytesMax: number;
}

const rowsPerKey = (wish: Wish, measured: Measured): number =>
  wish.stateBytesPerKey === undefined
    ? wish.windowRows
    : wish.stateBytesPerKey / measured('state.bytesPerRow');

/** Bytes of state in the changelog for one record of one entity key, `bytes.changelog` being what they are written with. */
export const writtenPerS = (recordsPerS: number, { keys }: Shape, measured: Measured): number =>
  recordsPerS * keys * measured('bytes.changelog');

export const stateOf = (wish: Wish, spread: Spread, measured: Measured): StateSize => {
  const rows = wish.keys * rowsPerKey(wish, measured);
  const bytes = rows * measured('state.bytesPerRow');
  const share = spread.partitionsOfOne / spread.partitions;
  // The newest segment of a partition is never compacted, and so is read in a restore.
  const uncompacted = Math.min(RESTORED_SEGMENT_BYTES, (spread.writtenPerS / spread.partitions) * SEGMENT_S);
  const changelogBytesPerPartition = (UNCOMPACTED * bytes) / spread.partitions + uncompacted;
  const cached = Math.min(rows * share * measured('feature.cacheBytesPerRow'), spread.cacheBytesMax);
  return {
    bytes,
    changelogBytesPerPartition,
    diskBytes: bytes * measured('state.diskPerByte'),
    restoreS:
      (spread.partitionsOfOne * changelogBytesPerPartition) / 1e6 / measured('state.restoreMbPerSecond'),
    memoryBytes: cached * measured('feature.heapPerCacheByte'),
  };
};
