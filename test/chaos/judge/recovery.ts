/** How long it took until records were scored again, by the times at which the broker appended the answers. */

export interface Fault {
  readonly what: string;
  readonly beganMs: number;
  /** For a kill, the moment itself. */
  readonly endedMs: number;
}

/** A silence that begins so long after the end of a fault is not its doing. */
const AFTER_MS_MAX = 2_000;
/** Shorter gaps are the grain of the load. */
const SILENCE_MS_MIN = 1_000;

/**
 * For one fault and partition: from the end of the fault to the record that ended the longest silence that it caused; 0
 * where there was none worth the name, or it ended before the fault did. Undefined where nothing came afterwards.
 */
export const recoveryMs = (
  timesMs: readonly number[],
  { beganMs, endedMs }: Fault,
  untilMs: number,
): number | undefined => {
  let longest = 0;
  let end: number | undefined;
  let before = timesMs.findLast(time => time <= beganMs) ?? beganMs;
  let seenAfter = false;
  for (const time of timesMs) {
    if (time <= beganMs || time > untilMs) continue;
    if (before <= endedMs + AFTER_MS_MAX && time - before > longest) {
      longest = time - before;
      end = time;
    }
    before = time;
    seenAfter ||= time > endedMs;
  }
  if (!seenAfter) return undefined;
  return longest < SILENCE_MS_MIN || end === undefined ? 0 : Math.max(0, end - endedMs);
};

export interface Recovery {
  readonly p50: number; // seconds
  readonly max: number;
  /** Fault and partition pairs that were measured. */
  readonly count: number;
}

/** Over all faults and partitions; a fault is watched until the next one begins. */
export const recoveryOf = (
  faults: readonly Fault[],
  timesByPartition: ReadonlyMap<number, readonly number[]>,
): Recovery => {
  const sorted = [...faults].sort((a, b) => a.beganMs - b.beganMs);
  const found = sorted
    .flatMap((fault, i) => {
      const untilMs = sorted[i + 1]?.beganMs ?? Number.POSITIVE_INFINITY;
      // One that another overlaps cannot be told apart from it.
      if (untilMs <= fault.endedMs) return [];
      return [...timesByPartition.values()].map(times => recoveryMs(times, fault, untilMs));
    })
    .filter(ms => ms !== undefined)
    .sort((a, b) => a - b);
  const at = (share: number): number => (found[Math.floor((found.length - 1) * share)] ?? 0) / 1000;
  return { p50: at(0.5), max: at(1), count: found.length };
};
