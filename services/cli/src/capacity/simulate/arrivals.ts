/** How many records arrive, by the time since the beginning. Pure; randomness is handed in. */
import type { SeededRandom } from '@millrace/pipelines';

/** Records a second at a time, milliseconds since the beginning. */
export type Arrivals = (atMs: number) => number;

const DAY_MS = 86_400_000;
/** Peak over mean that a day can have: beyond it all of a day lies in minutes. */
const PEAK_OVER_MEAN_MAX = 50;

export const steady =
  (rate: number): Arrivals =>
  () =>
    rate;

export interface Step {
  readonly fromMs: number;
  readonly rate: number;
}

/** Each rate from its time on; none before the first. @param steps in order of time */
export const inSteps =
  (steps: readonly Step[]): Arrivals =>
  atMs =>
    steps.findLast(({ fromMs }) => fromMs <= atMs)?.rate ?? 0;

/** Mean of exp(k cos x) over a turn: the modified Bessel function of order 0. */
const meanOfTurn = (k: number): number => {
  let sum = 1;
  for (let n = 1, term = 1; term > sum * 1e-15; n++) {
    term *= (k / (2 * n)) ** 2;
    sum += term;
  }
  return sum;
};

/** k for which exp(k cos x) has that peak over its mean. */
const steepness = (peakOverMean: number): number => {
  let [low, high] = [0, 700];
  while (high - low > 1e-9) {
    const k = (low + high) / 2;
    if (Math.exp(k) / meanOfTurn(k) < peakOverMean) low = k;
    else high = k;
  }
  return (low + high) / 2;
};

/**
 * A day that has its peak at noon, falls to both sides like a bell laid around the clock, and has that mean.
 * @throws RangeError where the peak is below the mean, or more than fifty times as high
 */
export const overDay = (mean: number, peak: number): Arrivals => {
  if (!(peak >= mean && peak <= PEAK_OVER_MEAN_MAX * mean))
    throw new RangeError(
      `a day's peak is ${peak} and its mean ${mean}: the peak must be 1 to ${PEAK_OVER_MEAN_MAX} times the mean`,
    );
  const k = steepness(peak / mean);
  return atMs => peak * Math.exp(k * (-Math.cos((2 * Math.PI * atMs) / DAY_MS) - 1));
};

/** From here on the normal distribution stands for Poisson's. */
const LARGE_MEAN = 50;

/** How many arrive where that many are expected: just so many, or as Poisson has it. */
export const drawn = (mean: number, random: SeededRandom | undefined): number => {
  if (random === undefined || mean === 0) return mean;
  return mean < LARGE_MEAN
    ? random.poisson(mean)
    : Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()));
};
