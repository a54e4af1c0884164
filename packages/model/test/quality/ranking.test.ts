import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  averagePrecision, brierScore, calibration, calibrationError, type Judged, precisionAt, rocAuc,
} from '../../src/index.ts'; // prettier-ignore

const judged = (scores: readonly number[], truths: readonly number[]): Judged => ({
  scores: Float64Array.from(scores),
  truths: Uint8Array.from(truths),
});

/** The example of scikit-learn's manual for roc_auc_score and average_precision_score. */
const MANUAL = judged([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]);

test('equals the examples of the manual of scikit-learn', () => {
  expect(rocAuc(MANUAL)).toBe(0.75);
  expect(averagePrecision(MANUAL)).toBeCloseTo(0.8333333, 7);
  expect(brierScore(judged([0.1, 0.9, 0.8, 0.3], [0, 1, 1, 0]))).toBeCloseTo(0.0375, 12);
});

test('equal scores say nothing: AUC is a half, average precision the share of true rows', () => {
  const same = judged(Array.from({ length: 10 }, () => 0.3), [1, 0, 0, 1, 0, 0, 0, 0, 0, 0]); // prettier-ignore
  expect(rocAuc(same)).toBe(0.5);
  expect(averagePrecision(same)).toBeCloseTo(0.2, 12);
  expect(precisionAt(same, 5)).toBeCloseTo(0.2, 12);
});

test('what cannot be said is undefined, not a number', () => {
  expect(rocAuc(judged([0.1, 0.2], [0, 0]))).toBeUndefined();
  expect(averagePrecision(judged([0.1], [0]))).toBeUndefined();
  expect(precisionAt(MANUAL, 5)).toBeUndefined();
  expect(brierScore(judged([], []))).toBeUndefined();
});

test('a row without a score is refused by its number', () => {
  expect(() => rocAuc(judged([0.5, Number.NaN], [1, 0]))).toThrow('row 1 has no score');
  expect(() => calibration(judged([1.5], [1]))).toThrow('row 0 has the score 1.5');
});

test('AUC is the share of pairs that are in order, whatever the order of the rows', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 6 }), fc.boolean()), { minLength: 2, maxLength: 40 }); // prettier-ignore
  fc.assert(
    fc.property(rows, found => {
      const pairs = found.flatMap(([a, truth]) =>
        truth ? found.filter(([, t]) => !t).map(([b]) => [a, b]) : [],
      );
      const won = pairs.reduce((sum, [a, b]) => sum + (a! > b! ? 1 : a === b ? 0.5 : 0), 0);
      const auc = rocAuc(judged(found.map(([score]) => score), found.map(([, truth]) => Number(truth)))); // prettier-ignore
      if (pairs.length === 0) expect(auc).toBeUndefined();
      else expect(auc).toBeCloseTo(won / pairs.length, 12);
    }),
  );
});

test('bins of calibration hold every row once, the score 1 in the last', () => {
  const bins = calibration(judged([0, 0.05, 0.5, 1], [0, 1, 1, 1]));
  expect(bins).toEqual([
    { from: 0, to: 0.1, rows: 2, meanScore: 0.025, share: 0.5 },
    { from: 0.5, to: 0.6, rows: 1, meanScore: 0.5, share: 1 },
    { from: 0.9, to: 1, rows: 1, meanScore: 1, share: 1 },
  ]);
  expect(calibrationError(bins)).toBeCloseTo((2 * 0.475 + 0.5 + 0) / 4, 12);
});
