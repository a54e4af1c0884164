import { seededRandom } from '@millrace/pipelines';

/** From some time on, the brokers' clock is so much ahead; behind, where it is below 0. */
export interface ClockStep {
  readonly atMs: number;
  readonly offMs: number;
}

/** Clocks that are wrong: the brokers' in steps, those of processes by what each was started with. */
export interface Clocks {
  /** Ascending; the first holds from ever on, the last for ever. */
  readonly steps: readonly ClockStep[];
  /** Clocks of processes are ahead or behind by this at most. */
  readonly skewMsMax: number;
}

const HOUR_MS = 3_600_000;
const STEPS_MAX = 4;
/** Of seeds; in half of these it is by less than some epochs. */
const WRONG = 0.3;
const FEW_EPOCHS_MS = 300;

export const RIGHT: Clocks = { steps: [{ atMs: Number.NEGATIVE_INFINITY, offMs: 0 }], skewMsMax: 0 };

/** What the seed sets; of dice of its own, so that it changes no other choice. The brokers' clock is right again at `endMs`. */
export const clocksOf = (seed: number, fromMs: number, endMs: number): Clocks => {
  const dice = seededRandom(Math.imul(seed, 0x27d4eb2d) ^ 0x165667b1);
  if (!dice.chance(WRONG)) return RIGHT;
  const most = dice.chance(0.5) ? FEW_EPOCHS_MS : HOUR_MS;
  const times = Array.from({ length: dice.integer(1, STEPS_MAX) }, () => dice.integer(fromMs, endMs - 1));
  const steps = times.toSorted((a, b) => a - b).map(atMs => ({ atMs, offMs: dice.integer(-most, most) }));
  const skewMsMax = dice.chance(0.5) ? dice.integer(0, most) : 0;
  return { steps: [...RIGHT.steps, ...steps, { atMs: endMs, offMs: 0 }], skewMsMax };
};

export const offAt = ({ steps }: Clocks, nowMs: number): number =>
  steps.findLast(({ atMs }) => atMs <= nowMs)!.offMs;

/** How far the clock of some process may be behind the time of a record at most. */
export const behindMs = ({ steps, skewMsMax }: Clocks): number =>
  Math.max(...steps.map(({ offMs }) => offMs)) + skewMsMax;

/** When records of one partition, in their order, were appended in truth; where their times leave a choice, the earliest. */
export function truly({ steps }: Clocks, appendTimesMs: readonly number[]): readonly number[] {
  let step = 0;
  let before = Number.NEGATIVE_INFINITY;
  return appendTimesMs.map(timeMs => {
    const fits = (i: number): boolean => {
      const at = timeMs - steps[i]!.offMs;
      return at >= Math.max(before, steps[i]!.atMs) && at < (steps[i + 1]?.atMs ?? Number.POSITIVE_INFINITY);
    };
    while (!fits(step)) if (++step === steps.length) throw new Error(`no clock has said ${timeMs}`);
    return (before = timeMs - steps[step]!.offMs);
  });
}
