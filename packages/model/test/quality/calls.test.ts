import { expect, test } from '@jest/globals';
import {
  accuracy, balancedAccuracy, callsAt, type Judged, precision, recall, specificity,
} from '../../src/index.ts'; // prettier-ignore

const judged = (scores: readonly number[], truths: readonly number[]): Judged => ({
  scores: Float64Array.from(scores),
  truths: Uint8Array.from(truths),
});

/** Two rows score exactly the threshold: they are called true. */
const ROWS = judged(
  [0.91, 0.15, 0.6, 0.45, 0.57, 0.3, 0.72, 0.05, 0.5, 0.38, 0.66, 0.57, 0.2, 0.81, 0.49, 0.1],
  [1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0],
);

test('equals confusion_matrix and the scores of scikit-learn 1.7.2', () => {
  const calls = callsAt(ROWS, 0.57);
  expect(calls).toEqual({ hits: 5, falseAlarms: 2, missed: 2, passed: 7 });
  expect(accuracy(calls)).toBe(0.75);
  expect(balancedAccuracy(calls)).toBeCloseTo(0.746031746031746, 12);
  expect(precision(calls)).toBeCloseTo(0.7142857142857143, 12);
  expect(recall(calls)).toBeCloseTo(0.7142857142857143, 12);
  expect(specificity(calls)).toBeCloseTo(0.7777777777777778, 12);
});

test('a share of nothing cannot be said', () => {
  const none = callsAt(judged([], []), 0.5);
  expect([accuracy(none), precision(none), recall(none), specificity(none), balancedAccuracy(none)]).toEqual(
    Array.from({ length: 5 }, () => undefined),
  );
  const onlyFalse = callsAt(judged([0.2], [0]), 0.5);
  expect([recall(onlyFalse), specificity(onlyFalse), balancedAccuracy(onlyFalse)]).toEqual([undefined, 1, undefined]); // prettier-ignore
});

test('a row without a score is refused by its number', () => {
  expect(() => callsAt(judged([0.5, Number.NaN], [1, 0]), 0.5)).toThrow('row 1 has no score');
});
