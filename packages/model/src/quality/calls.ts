/** How good the yes and no are that a threshold makes of scores. Definitions are those of scikit-learn. */
import type { Judged } from './ranking.ts';

/** Rows by what the threshold said of them, and what turned out to be true. */
export interface Calls {
  /** At or above the threshold, and true. */
  readonly hits: number;
  /** At or above the threshold, and false. */
  readonly falseAlarms: number;
  /** Below the threshold, and true. */
  readonly missed: number;
  /** Below the threshold, and false. */
  readonly passed: number;
}

/** @param at rows whose score is this or more are called true, as `ge(output(…), threshold(…))` does. */
export const callsAt = ({ scores, truths }: Judged, at: number): Calls => {
  if (scores.length !== truths.length)
    throw new RangeError(`${scores.length} scores and ${truths.length} truths: each row needs both`);
  const calls = { hits: 0, falseAlarms: 0, missed: 0, passed: 0 };
  scores.forEach((score, row) => {
    if (Number.isNaN(score)) throw new RangeError(`row ${row} has no score: leave it out, and count it`);
    if (score >= at) calls[truths[row] === 1 ? 'hits' : 'falseAlarms']++;
    else calls[truths[row] === 1 ? 'missed' : 'passed']++;
  });
  return calls;
};

/** A share of nothing cannot be said: undefined. */
const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole);

/** Share of rows of which the threshold said what turned out to be true; undefined without rows. */
export const accuracy = ({ hits, falseAlarms, missed, passed }: Calls): number | undefined =>
  share(hits + passed, hits + falseAlarms + missed + passed);

/** Share of the true rows that were called true; undefined without a true row. */
export const recall = ({ hits, missed }: Calls): number | undefined => share(hits, hits + missed);

/** Share of the false rows that were not called true; undefined without a false row. */
export const specificity = ({ passed, falseAlarms }: Calls): number | undefined =>
  share(passed, passed + falseAlarms);

/** Share of true rows among those called true; undefined where none was. */
export const precision = ({ hits, falseAlarms }: Calls): number | undefined =>
  share(hits, hits + falseAlarms);

/** Mean of recall and specificity; undefined without rows of both kinds. */
export const balancedAccuracy = (calls: Calls): number | undefined => {
  const [ofTrue, ofFalse] = [recall(calls), specificity(calls)];
  return ofTrue === undefined || ofFalse === undefined ? undefined : (ofTrue + ofFalse) / 2;
};
