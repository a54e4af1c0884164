import { expect, test } from '@jest/globals';
import { fairness, type Judged } from '../../src/index.ts';

const ROWS: Judged = {
  scores: Float64Array.of(0.91, 0.15, 0.6, 0.45, 0.57, 0.3, 0.72, 0.05, 0.5, 0.38, 0.66, 0.57, 0.2, 0.81, 0.49, 0.1), // prettier-ignore
  truths: Uint8Array.of(1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 1, 1, 0),
};
const GROUPS = 'abacbbcaabcabacb'.split('');

/** By fairlearn 0.15.0's MetricFrame with scikit-learn 1.7.2: one group against the rest, accepted where score < 0.57. */
const FAIRLEARN = [
  ['a', 6, 0.333333, 0.285714, -0.666667, -0.190476, -0.366667, 0.285714],
  ['b', 6, 0.833333, 0.05, 0.833333, 0.441667, 0.433333, 0.05],
  ['c', 4, 0.5, -0.357143, 0.3, -0.028571, -0.083333, -0.357143],
] as const;

test('equals fairlearn, one group against everybody else', () => {
  const found = fairness(ROWS, GROUPS, 0.57);
  expect(found.map(({ group, rows }) => [group, rows])).toEqual(
    FAIRLEARN.map(([name, rows]) => [name, rows]),
  );
  found.forEach((one, i) => {
    const figures = [
      one.accepted, one.equalOpportunity, one.falsePositiveRateBalance, one.averageOdds, one.demographicParity,
      one.positivePredictiveParity,
    ]; // prettier-ignore
    figures.forEach((figure, at) => expect(figure).toBeCloseTo(FAIRLEARN[i]![at + 2] as number, 5));
  });
});

test('where a share of nothing would be needed, the difference cannot be said', () => {
  // All in one group: there is nobody else.
  const [all] = fairness(ROWS, Array.from(GROUPS, () => 'x'), 0.57); // prettier-ignore
  expect(all).toMatchObject({ group: 'x', rows: 16, accepted: 9 / 16 });
  expect([all!.equalOpportunity, all!.averageOdds, all!.demographicParity]).toEqual([undefined, undefined, undefined]); // prettier-ignore
});
