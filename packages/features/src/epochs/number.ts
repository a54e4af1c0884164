/**
 * Number of an epoch: (phase, n), every replay epoch before every live one. The pair is kept in one number, so that
 * epochs compare as numbers do; `epochOf` and `partsOf` are the only places that know how.
 */
export type Epoch = number;
export type EpochPhase = 'replay' | 'live';

export interface EpochParts {
  readonly phase: EpochPhase;
  readonly n: number;
}

const REPLAY_SPAN = 2 ** 51;

/** Before every epoch there can be: what a stage has applied that has applied nothing. */
export const EPOCH_NONE: Epoch = -(2 ** 52);

export function epochOf({ phase, n }: EpochParts): Epoch {
  return phase === 'live' ? n : n - REPLAY_SPAN;
}

export function partsOf(epoch: Epoch): EpochParts {
  return epoch >= -REPLAY_SPAN / 2
    ? { phase: 'live', n: epoch }
    : { phase: 'replay', n: epoch + REPLAY_SPAN };
}

/** Behind every replay epoch there can be, before every live one. */
export const REPLAY_LAST: Epoch = -REPLAY_SPAN / 2 - 1;

/**
 * Live epoch of an append time, on the grid of `epochMs`: the time at which it begins, in milliseconds. A count of grid
 * steps would begin anew, and far lower, when the grid is changed, and nothing would ever close again.
 */
export function liveEpochAt(appendTimeMs: number, epochMs: number): Epoch {
  return Math.floor(appendTimeMs / epochMs) * epochMs;
}

/** When half of a live epoch is over, milliseconds; of a replay, which has no time of its own, long ago. */
export function liveMiddleMs(epoch: Epoch, epochMs: number): number {
  return epoch > REPLAY_LAST ? epoch + epochMs / 2 : Number.NEGATIVE_INFINITY;
}
