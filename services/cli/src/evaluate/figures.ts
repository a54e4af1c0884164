/** Figures of joined rows, group by group. */
import {
  averagePrecision, brierScore, calibration, type CalibrationBin, calibrationError, entityPrecisionAt, type Judged, precisionAt, rocAuc,
} from '@millrace/model'; // prettier-ignore
import type { JudgedRow } from './join.ts';
import type { TrueLabel } from './labels.ts';

const DAY_MS = 86_400_000;
const NEVER = Number.POSITIVE_INFINITY;
const dayOf = (ms: number): number => Math.floor(ms / DAY_MS);

/** A figure is null where it cannot be said, such as AUC without a true row. */
export interface Figures {
  readonly rows: number;
  readonly positives: number;
  /** Predictions without a known label: they are in no figure. */
  readonly unlabelled: number;
  /** Rows of entities that were known by then to be true ones, where those are left out. */
  readonly leftOut: number;
  readonly auc: number | null;
  readonly averagePrecision: number | null;
  readonly precisionAtK: number | null;
  /** Mean over days of the share of true entities among the k of highest score ("card precision"). */
  readonly entityPrecisionAtK: number | null;
  readonly days: number;
  readonly brier: number | null;
  readonly calibrationError: number | null;
  readonly calibration: readonly CalibrationBin[];
}

export interface FigureOptions {
  readonly k: number;
  /**
   * On each day, entities are left out with a true label that was known before the day began, of an event at or after
   * this time (milliseconds since the epoch): their case is open already. Undefined: nobody is left out.
   */
  readonly leaveOutKnownSinceMs: number | undefined;
}

/** By entity: when the first of its true labels became known. */
const firstKnown = (labels: readonly TrueLabel[], sinceMs: number): ReadonlyMap<string, number> => {
  const first = new Map<string, number>();
  for (const { entity, eventTime, knownAt } of labels)
    if (eventTime >= sinceMs) first.set(entity, Math.min(knownAt, first.get(entity) ?? NEVER));
  return first;
};

const probabilities = (scores: Float64Array): boolean => scores.every(score => score >= 0 && score <= 1);

/** Rows that figures are made of: those with a label, without entities whose case was open. */
export const judgedOf = (
  rows: readonly JudgedRow[],
  trueLabels: readonly TrueLabel[],
  { leaveOutKnownSinceMs }: Pick<FigureOptions, 'leaveOutKnownSinceMs'>,
): { readonly labelled: number; readonly kept: readonly JudgedRow[]; readonly judged: Judged } => {
  const known = firstKnown(trueLabels, leaveOutKnownSinceMs ?? NEVER);
  const labelled = rows.filter(({ truth }) => truth !== undefined);
  const kept = labelled.filter(
    ({ entity, eventTime }) => (known.get(entity) ?? NEVER) >= dayOf(eventTime) * DAY_MS,
  );
  const judged = {
    scores: Float64Array.from(kept, ({ score }) => score),
    truths: Uint8Array.from(kept, ({ truth }) => Number(truth)),
  };
  return { labelled: labelled.length, kept, judged };
};

/** @param rows of one group. */
export const figuresOf = (
  rows: readonly JudgedRow[],
  trueLabels: readonly TrueLabel[],
  options: FigureOptions,
): Figures => {
  const { k } = options;
  const { labelled, kept, judged } = judgedOf(rows, trueLabels, options);
  const byEntity = entityPrecisionAt(
    kept.map(({ entity, eventTime, score, truth }) => ({
      day: dayOf(eventTime),
      entity,
      score,
      truth: truth!,
    })),
    k,
  );
  const bins = probabilities(judged.scores) ? calibration(judged) : [];
  return {
    rows: kept.length,
    positives: judged.truths.reduce((sum, truth) => sum + truth, 0),
    unlabelled: rows.length - labelled,
    leftOut: labelled - kept.length,
    auc: rocAuc(judged) ?? null,
    averagePrecision: averagePrecision(judged) ?? null,
    precisionAtK: precisionAt(judged, k) ?? null,
    entityPrecisionAtK: byEntity?.mean ?? null,
    days: byEntity?.days ?? 0,
    brier: brierScore(judged) ?? null,
    calibrationError: calibrationError(bins) ?? null,
    calibration: bins,
  };
};
