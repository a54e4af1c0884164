/** Our features beside published ones that we did not make; see `../shared/data/fraud/SOURCE.md`. Skipped without the data. */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { compileSet, foldInOrder } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import { FRAUD_COLUMNS } from './columns.ts';
import { compareColumns } from './compare.ts';
import { describeUnless } from '../jest/skip.ts';
import {
  dailyFiles,
  inOrderTime,
  readPublished,
  readReversedTies,
  readTransactions,
  sharedData,
} from './read.ts';

const data = sharedData('fraud');
const ifData = describeUnless(data === undefined ? 'no published data beside the repository' : undefined);
const columns = Object.keys(FRAUD_COLUMNS);

test('every feature of the set but the amount has a published column', () => {
  expect(Object.values(FRAUD_COLUMNS)).toEqual(compileSet(fraud).names.slice(1));
});

test('a difference is a mismatch, a missing value too, and an excepted row is none', () => {
  const published = new Map([1, 2, 3, 4].map(id => [id, [1, 1000]]));
  const comparison = compareColumns(['A', 'B'], published, new Set([4]));
  comparison.add(1, [1.0000009, 1000.0009]);
  comparison.add(2, [1.0000011, 1000.0011]);
  comparison.add(3, [Number.NaN, 1000]);
  comparison.add(4, [0, 0]);
  comparison.add(5, [0, 0]);
  const { rows, columns } = comparison.result();
  expect(rows).toBe(3);
  expect(columns['A']).toEqual({ compared: 3, mismatches: 2, worst: Number.MAX_VALUE });
  expect(columns['B']).toMatchObject({ compared: 3, mismatches: 1 });
});

ifData('published fraud features, cold start', () => {
  test('all 14 columns of the first two weeks are equal', () => {
    const published = readPublished(dailyFiles(join(data!, 'features'), '2018-04-01', '2018-04-14'), columns);
    const excepted = readReversedTies(join(data!, 'reference', 'same_second_ties.csv'));
    const comparison = compareColumns(columns, published, excepted);
    const set = compileSet(fraud);
    const places = Object.values(FRAUD_COLUMNS).map(name => set.names.indexOf(name));
    const raw = readTransactions(dailyFiles(join(data!, 'raw'), '2018-04-01', '2018-04-14'));
    for (const { event, values } of foldInOrder(set, inOrderTime(raw)))
      comparison.add(event.sequence, places.map(at => values[at]!)); // prettier-ignore
    const result = comparison.result();
    // 134,288 rows less the one pair of these days that the published file has in the other order.
    expect(result.rows).toBe(134_286);
    expect(
      Object.entries(result.columns).filter(([, c]) => c.mismatches > 0 || c.compared !== 134_286),
    ).toEqual([]);
  }, 120_000);
});
