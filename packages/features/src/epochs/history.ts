import { type Epoch, epochOf } from './number.ts';

/**
 * The part of a source partition that lies in the past: its records get the epoch that their history says, not that of
 * their arrival. Behind it the partition is live.
 */
export interface History {
  /** Offset behind the history (exclusive). */
  readonly until: number;
  /** Epochs that an input must be allowed to be ahead, so that it can close the first of them. */
  readonly aheadMin: number;
  epochAt(offset: number, orderTimeMs: number): Epoch;
  /** The newest epoch to which nothing can belong that is still to be read before `until`. */
  pastAt(position: number, orderTimeMaxMs: number): Epoch;
}

export interface ReplayOptions {
  /** Width of an epoch, milliseconds of order time. */
  readonly sliceMs: number;
  /**
   * How much older than the newest record before it a record of the same partition may be, milliseconds of order time.
   * What is older than that comes too late for its epoch, is counted, and goes into the next.
   */
  readonly disorderMs: number;
  readonly until: number;
}

/** Epochs are slices of order time: whatever the arrival was, the fold is the ideal one. */
export const replayHistory = ({ sliceMs, disorderMs, until }: ReplayOptions): History => {
  if (!(sliceMs >= 1)) throw new RangeError(`a slice of ${sliceMs} ms: it must be at least 1`);
  if (!(disorderMs >= 0)) throw new RangeError(`a disorder of ${disorderMs} ms: it must be at least 0`);
  const slice = (ms: number): Epoch => epochOf({ phase: 'replay', n: Math.floor(ms / sliceMs) });
  return {
    until,
    aheadMin: Math.ceil(disorderMs / sliceMs) + 1,
    epochAt: (_offset, orderTimeMs) => slice(orderTimeMs),
    pastAt: (_position, orderTimeMaxMs) => slice(orderTimeMaxMs - disorderMs) - 1,
  };
};

/** Where one live epoch ended in one partition (offset, exclusive). */
export interface RecordedEnd {
  readonly epoch: Epoch;
  readonly end: number;
}

/** Epochs as they were cut when the records arrived: the same vectors again, to the last bit. `ends` ascend in both. */
export const recordedHistory = (ends: readonly RecordedEnd[]): History => {
  const at = (offset: number): RecordedEnd | undefined => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    return ends[low];
  };
  return {
    until: ends.at(-1)?.end ?? 0,
    aheadMin: 1,
    epochAt: offset => at(offset)!.epoch,
    pastAt: position => at(position)!.epoch - 1,
  };
};
