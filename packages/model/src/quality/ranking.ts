/**
 * How well scores rank what turned out to be true. Definitions are those of scikit-learn (`roc_auc_score`,
 * `average_precision_score`, `brier_score_loss`); rows of equal score count as one step, so that no figure depends on
 * the order in which rows happen to come.
 */
export interface Judged {
  /** One score a row, higher is more likely; never NaN. */
  readonly scores: Float64Array;
  /** 1 where it turned out to be true, else 0; as long as `scores`. */
  readonly truths: Uint8Array;
}

/** Rows of one score: how many there are, and how many of them are true. */
interface Step {
  readonly score: number;
  readonly rows: number;
  readonly hits: number;
}

/** Steps from the highest score down. */
const stepsOf = ({ scores, truths }: Judged): readonly Step[] => {
  if (scores.length !== truths.length)
    throw new RangeError(`${scores.length} scores and ${truths.length} truths: each row needs both`);
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[b]! - scores[a]!);
  const steps: { score: number; rows: number; hits: number }[] = [];
  for (const row of order) {
    const score = scores[row]!;
    if (Number.isNaN(score)) throw new RangeError(`row ${row} has no score: leave it out, and count it`);
    const last = steps.at(-1);
    if (last?.score === score) {
      last.rows++;
      last.hits += truths[row]!;
    } else steps.push({ score, rows: 1, hits: truths[row]! });
  }
  return steps;
};

const hitsOf = (steps: readonly Step[]): number => steps.reduce((sum, { hits }) => sum + hits, 0);

/** Chance that a true row is ranked above a false one, ties counting half; undefined without rows of both kinds. */
export const rocAuc = (judged: Judged): number | undefined => {
  const steps = stepsOf(judged);
  const hits = hitsOf(steps);
  const misses = judged.scores.length - hits;
  if (hits === 0 || misses === 0) return undefined;
  let above = 0;
  let won = 0;
  for (const step of steps) {
    const missesHere = step.rows - step.hits;
    won += missesHere * (above + step.hits / 2);
    above += step.hits;
  }
  return won / hits / misses;
};

/** Precision at each step, weighted by the recall that it adds; undefined without a true row. */
export const averagePrecision = (judged: Judged): number | undefined => {
  const steps = stepsOf(judged);
  const hits = hitsOf(steps);
  if (hits === 0) return undefined;
  let rowsSoFar = 0;
  let hitsSoFar = 0;
  let sum = 0;
  for (const step of steps) {
    rowsSoFar += step.rows;
    hitsSoFar += step.hits;
    sum += (step.hits / hits) * (hitsSoFar / rowsSoFar);
  }
  return sum;
};

/** Share of true rows among the `k` of highest score; of a tie across the border, its mean share. Undefined below k rows. */
export const precisionAt = (judged: Judged, k: number): number | undefined => {
  if (judged.scores.length < k || k < 1) return undefined;
  let left = k;
  let hits = 0;
  for (const step of stepsOf(judged)) {
    const taken = Math.min(left, step.rows);
    hits += (step.hits * taken) / step.rows;
    left -= taken;
    if (left === 0) break;
  }
  return hits / k;
};

/** Mean squared distance of a probability from what turned out to be; undefined without rows. */
export const brierScore = ({ scores, truths }: Judged): number | undefined =>
  scores.length === 0
    ? undefined
    : scores.reduce((sum, score, i) => sum + (score - truths[i]!) ** 2, 0) / scores.length;

/** Rows whose score lies in [from, to), the last bin with its end. */
export interface CalibrationBin {
  readonly from: number;
  readonly to: number;
  readonly rows: number;
  readonly meanScore: number;
  /** Share that turned out to be true. */
  readonly share: number;
}

export const CALIBRATION_BINS = 10;

/** Equal bins over [0, 1]; those without rows are left out. @throws RangeError where a score is no probability */
export const calibration = (
  { scores, truths }: Judged,
  bins: number = CALIBRATION_BINS,
): readonly CalibrationBin[] => {
  const found = Array.from({ length: bins }, () => ({ rows: 0, sum: 0, hits: 0 }));
  scores.forEach((score, i) => {
    if (!(score >= 0 && score <= 1))
      throw new RangeError(`row ${i} has the score ${score}: calibration needs probabilities from 0 to 1`);
    const bin = found[Math.min(bins - 1, Math.floor(score * bins))]!;
    bin.rows++;
    bin.sum += score;
    bin.hits += truths[i]!;
  });
  return found.flatMap(({ rows, sum, hits }, i) =>
    rows === 0
      ? []
      : [{ from: i / bins, to: (i + 1) / bins, rows, meanScore: sum / rows, share: hits / rows }],
  );
};

/** Mean distance of score and share over the bins, weighted by rows (expected calibration error). */
export const calibrationError = (bins: readonly CalibrationBin[]): number | undefined => {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  if (rows === 0) return undefined;
  return bins.reduce((sum, bin) => sum + (bin.rows / rows) * Math.abs(bin.meanScore - bin.share), 0);
};
