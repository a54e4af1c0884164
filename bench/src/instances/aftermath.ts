/** What became of answers after a process was killed, as `millrace capacity simulate` tells it of its own. Pure. */

/** Times of one record, milliseconds: when the broker appended it, and when a reader saw its answer. */
export interface Passage {
  readonly appendedMs: number;
  readonly seenMs: number;
}

export interface Aftermath {
  /** Longest wait of a record that was appended in this time. */
  readonly mostMs: number;
  /** Most records that waited at one moment shortly before. */
  readonly lagBefore: number;
  /** The same from the kill on. */
  readonly lagMost: number;
  /** From the kill until the lag was what it had been before, and stayed so; undefined where it was not by the end. */
  readonly caughtUpMs: number | undefined;
}

/** How far apart the moments are at which the lag is looked at. */
const STEP_MS = 10;
/** Lag comes back for a moment when a fetch has just been answered: what counts stays so for that long. */
const STEADY_MS = 1_000;
/** The lag of that long before the kill is what has to be reached again. */
const BEFORE_MS = 2_000;

/** @param untilMs end of the load: what comes later says nothing */
export const aftermathOf = (passages: readonly Passage[], killedMs: number, untilMs: number): Aftermath => {
  const appended = Float64Array.from(passages, one => one.appendedMs).sort();
  const seen = Float64Array.from(passages, one => one.seenMs).sort();
  let [came, went, lagBefore, lagMost] = [0, 0, 0, 0];
  let sinceMs: number | undefined;
  let caughtUpMs: number | undefined;
  for (let nowMs = killedMs - BEFORE_MS; nowMs <= untilMs; nowMs += STEP_MS) {
    while (came < appended.length && appended[came]! <= nowMs) came++;
    while (went < seen.length && seen[went]! <= nowMs) went++;
    const lag = came - went;
    if (nowMs <= killedMs) lagBefore = Math.max(lagBefore, lag);
    else {
      lagMost = Math.max(lagMost, lag);
      if (lag > lagBefore) sinceMs = undefined;
      else sinceMs ??= nowMs;
      if (sinceMs !== undefined && nowMs - sinceMs >= STEADY_MS) caughtUpMs ??= sinceMs - killedMs;
    }
  }
  const waits = passages.filter(({ appendedMs }) => appendedMs >= killedMs - BEFORE_MS);
  const mostMs = waits.reduce((most, one) => Math.max(most, one.seenMs - one.appendedMs), 0);
  return { mostMs, lagBefore, lagMost, caughtUpMs };
};
