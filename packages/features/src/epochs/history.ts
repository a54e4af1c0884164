import { type Epoch, epochOf, REPLAY_LAST } from './number.ts';

/**
 * The part of a source partition that lies in the past: its records get the epoch that their history says, not that of
 * their arrival. Behind it the partition is live.
 */
export interface History {
  /** Offset behind the history (exclusive). */
  readonly until: number;
  /** Its newest epoch, for all inputs of all tasks the same: what comes behind `until` belongs to later ones. */
  readonly last: Epoch;
  /** Offset from which on its epochs are live ones; `until` where there are none. */
  readonly liveFrom: number;
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
    last: REPLAY_LAST,
    liveFrom: until,
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

export interface RecordedOptions {
  /** Of every live epoch with records of the partition, ascending in both. */
  readonly ends: readonly RecordedEnd[];
  /** Newest epoch of the stretch: of all inputs, also where this one had no records then. */
  readonly last: Epoch;
  /** Offset behind the stretch. */
  readonly until: number;
  /** What lies before them: the replay with which the recorded version began. */
  readonly before?: History | undefined;
}

/** Epochs as they were cut when the records arrived: the same vectors again, to the last bit. */
export const recordedHistory = ({ ends, last, until, before }: RecordedOptions): History => {
  const liveFrom = before?.until ?? 0;
  const epochAt = (offset: number): Epoch => {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    // Behind the last of them nothing of the stretch will come.
    return ends[low]?.epoch ?? last + 1;
  };
  const isBefore = (offset: number): boolean => offset < liveFrom;
  return {
    until,
    last,
    liveFrom,
    aheadMin: before?.aheadMin ?? 1,
    epochAt: (offset, orderTimeMs) =>
      isBefore(offset) ? before!.epochAt(offset, orderTimeMs) : epochAt(offset),
    pastAt: (position, orderTimeMaxMs) =>
      isBefore(position) ? before!.pastAt(position, orderTimeMaxMs) : epochAt(position) - 1,
  };
};
