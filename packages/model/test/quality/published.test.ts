/** The published table of the fraud data set, from reference scores that others computed. */
import { expect } from '@jest/globals';
import { averagePrecision, type EntityRow, entityPrecisionAt, rocAuc } from '../../src/index.ts';
import { sharedDataTest, sharedRows } from '../shared.ts';

const DAYS = ['08', '09', '10', '11', '12', '13', '14'];
const DAY_MS = 86_400_000;

type Payment = Omit<EntityRow, 'score'>;

const readRaw = (): ReadonlyMap<string, Payment> =>
  new Map(
    DAYS.flatMap(day => sharedRows(`fraud/raw/2018-08-${day}.csv.gz`)).map(
      ([id, at, customer, , , isFraud]) => [
        id!,
        { day: Math.floor(Date.parse(at!) / DAY_MS), entity: customer!, truth: isFraud === '1' },
      ],
    ),
  );

sharedDataTest('AUC, average precision and card precision at 100 are the published ones', () => {
  const raw = readRaw();
  const scored = sharedRows('fraud/reference/scores_2018-08-08_2018-08-14.csv.gz');
  const inTest = scored.filter(([, inTestSet]) => inTestSet === '1');
  expect(inTest).toHaveLength(58_264);
  const figures = (column: number): number[] => {
    const rows = inTest.map((row): EntityRow => ({ ...raw.get(row[0]!)!, score: Number(row[column]) }));
    const judged = {
      scores: Float64Array.from(rows, ({ score }) => score),
      truths: Uint8Array.from(rows, ({ truth }) => Number(truth)),
    };
    return [rocAuc(judged)!, averagePrecision(judged)!, entityPrecisionAt(rows, 100)!.mean];
  };
  // BaselineModeling.ipynb of the Fraud Detection Handbook: logistic regression, random forest, XGBoost.
  const published = [[2, 0.871, 0.606, 0.291], [4, 0.867, 0.658, 0.287], [5, 0.862, 0.639, 0.273]]; // prettier-ignore
  for (const [column, ...expected] of published)
    figures(column!).forEach((figure, i) =>
      expect(Math.abs(figure - expected[i]!)).toBeLessThanOrEqual(0.001),
    );
});
