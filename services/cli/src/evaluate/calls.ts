/** Figures of what thresholds make of scores: how often they are right, and whether they are so for everybody alike. */
import type { Evaluation } from '@millrace/define';
import {
  accuracy, balancedAccuracy, type Calls, callsAt, fairness, type GroupFairness, type Judged, precision, recall, specificity,
} from '@millrace/model'; // prettier-ignore
import type { JudgedRow } from './join.ts';

/** Thresholds by name. */
export type Thresholds = Readonly<Record<string, number>>;

/** A figure is null where it cannot be said. */
export interface ThresholdFigures extends Calls {
  readonly threshold: string;
  readonly at: number;
  readonly accuracy: number | null;
  readonly balancedAccuracy: number | null;
  readonly precision: number | null;
  readonly recall: number | null;
  readonly specificity: number | null;
}

/** From the highest threshold down. */
export const thresholdFigures = (judged: Judged, thresholds: Thresholds): readonly ThresholdFigures[] =>
  Object.entries(thresholds)
    .toSorted(([, a], [, b]) => b - a)
    .map(([threshold, at]) => {
      const calls = callsAt(judged, at);
      return {
        threshold,
        at,
        ...calls,
        accuracy: accuracy(calls) ?? null,
        balancedAccuracy: balancedAccuracy(calls) ?? null,
        precision: precision(calls) ?? null,
        recall: recall(calls) ?? null,
        specificity: specificity(calls) ?? null,
      };
    });

type Nullable<T> = {
  readonly [K in keyof T]: undefined extends T[K] ? Exclude<T[K], undefined> | null : T[K];
};
export type FairnessFigures = { readonly of: string } & Nullable<GroupFairness>;

/** @param kept the rows that `judged` is of. @returns nothing where the pipeline names no groups of people */
export const fairnessFigures = (
  { fairness: asked }: Evaluation,
  kept: readonly JudgedRow[],
  judged: Judged,
  thresholds: Thresholds,
): readonly FairnessFigures[] => {
  if (asked === undefined) return [];
  const at = thresholds[asked.threshold]!;
  return Object.keys(asked.groups).flatMap((of, i) =>
    fairness(judged, kept.map(({ people }) => people[i]!), at).map(group => ({
      of,
      group: group.group,
      rows: group.rows,
      accepted: group.accepted ?? null,
      equalOpportunity: group.equalOpportunity ?? null,
      falsePositiveRateBalance: group.falsePositiveRateBalance ?? null,
      averageOdds: group.averageOdds ?? null,
      demographicParity: group.demographicParity ?? null,
      positivePredictiveParity: group.positivePredictiveParity ?? null,
    })),
  ); // prettier-ignore
};
