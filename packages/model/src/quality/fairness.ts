/**
 * Whether a threshold treats groups of people alike, as the credit study of the Veritas project measures it
 * (veritas-project/phase1, `credit_scoring/utils/credit.py`, `FairnessAnalysis`). A score is the probability of what
 * nobody wants, such as a default: below the threshold a person is accepted, and is good where it does not come true.
 * Each difference is that of one group and everybody else, so 0 is even, and below 0 the group fares worse.
 */
import { type Calls, callsAt } from './calls.ts';
import type { Judged } from './ranking.ts';

/** A difference is undefined where a share of nothing would be needed. */
export interface GroupFairness {
  readonly group: string;
  readonly rows: number;
  /** Share of the group that is accepted. */
  readonly accepted: number | undefined;
  /** Of the good, the share accepted (Hardt, Price, Srebro 2016). */
  readonly equalOpportunity: number | undefined;
  /** Of the bad, the share accepted (predictive equality: Corbett-Davies et al. 2017). */
  readonly falsePositiveRateBalance: number | undefined;
  /** Mean of the two above (Bellamy et al. 2018). */
  readonly averageOdds: number | undefined;
  /** Of all, the share accepted (Dwork et al. 2012). */
  readonly demographicParity: number | undefined;
  /** Of the accepted, the share of good ones (predictive parity: Chouldechova 2017). */
  readonly positivePredictiveParity: number | undefined;
}

const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole);

const shares = ({ hits, falseAlarms, missed, passed }: Calls) => ({
  ofGood: share(passed, passed + falseAlarms),
  ofBad: share(missed, missed + hits),
  ofAll: share(passed + missed, hits + falseAlarms + missed + passed),
  goodOfAccepted: share(passed, passed + missed),
});

const difference = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? undefined : a - b;

const subset = ({ scores, truths }: Judged, rows: readonly number[]): Judged => ({
  scores: Float64Array.from(rows, row => scores[row]!),
  truths: Uint8Array.from(rows, row => truths[row]!),
});

/** @param groups the group of each row. @returns one entry a group, in the order of their names */
export const fairness = (judged: Judged, groups: readonly string[], at: number): readonly GroupFairness[] => {
  const rows = groups.map((_, row) => row);
  return [...new Set(groups)].toSorted().map((group): GroupFairness => {
    const [ours, others] = [true, false].map(inside =>
      subset(judged, rows.filter(row => (groups[row] === group) === inside)),
    ) as [Judged, Judged]; // prettier-ignore
    const [a, b] = [shares(callsAt(ours, at)), shares(callsAt(others, at))];
    const equalOpportunity = difference(a.ofGood, b.ofGood);
    const falsePositiveRateBalance = difference(a.ofBad, b.ofBad);
    return {
      group,
      rows: ours.scores.length,
      accepted: a.ofAll,
      equalOpportunity,
      falsePositiveRateBalance,
      averageOdds:
        equalOpportunity === undefined || falsePositiveRateBalance === undefined
          ? undefined
          : (equalOpportunity + falsePositiveRateBalance) / 2,
      demographicParity: difference(a.ofAll, b.ofAll),
      positivePredictiveParity: difference(a.goodOfAccepted, b.goodOfAccepted),
    };
  });
};
