import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { FeaturesValue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { FRAUD_COLUMNS } from './columns.ts';
import type { ParityResult } from './compare.ts';
import { cpuSeconds } from './cpu.ts';
import type { Judged } from './dataset/judge.ts';
import type { DatasetResult } from './dataset/run.ts';
import { daysOf } from './days.ts';
import { compareWithReference, readReferenceScores, referenceOf } from './reference.ts';
import { differences } from './report.ts';
import type { Skew } from './skew.ts';
import { Vectors } from './vectors.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-days-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const folder = (name: string, ...days: readonly string[]): string => {
  mkdirSync(join(root, name), { recursive: true });
  for (const day of days) writeFileSync(join(root, name, `2018-04-${day}.csv`), '');
  return join(root, name);
};

describe('days', () => {
  const raw = folder('raw', '01', '02', '03', '04', '06');
  const features = folder('features', '01', '02', '04', '06');
  const names = (files: readonly string[]): string[] => files.map(file => basename(file).slice(8, 10));

  test('without bounds: from the first raw day up to the first gap', () => {
    const days = daysOf(raw, features);
    expect(days).toMatchObject({ from: '2018-04-01', to: '2018-04-02', ties: undefined });
    expect(names(days.raw)).toEqual(['01', '02']);
  });
  test('days before --from are published and not compared', () => {
    const days = daysOf(raw, features, '2018-04-04', '2018-04-04');
    expect(names(days.raw)).toEqual(['01', '02', '03', '04']);
    expect(names(days.features)).toEqual(['04']);
  });
  test('a day that is missing is named', () => {
    expect(() => daysOf(raw, features, undefined, '2018-04-03')).toThrow(/features lacks 2018-04-03/);
    expect(() => daysOf(raw, features, '2018-04-06', '2018-04-06')).toThrow(/raw lacks 2018-04-05/);
    expect(() => daysOf(raw, features, '2018-04-04', '2018-04-02')).toThrow(/is after/);
  });
});

describe('reference scores', () => {
  const referenced = folder('reference');
  writeFileSync(
    join(referenced, 'scores_a.csv'),
    'TRANSACTION_ID,in_test_set,lr,xgb\n7,1,0.25,0.5\n8,0,0.75,0.125\n',
  );

  test('are read by model and transaction, with the rows that the published figures are over', () => {
    const reference = readReferenceScores(referenced);
    expect(reference.inTest).toEqual(new Set([7]));
    expect(referenceOf(reference, 'fraud-lr')).toEqual(new Map([[7, 0.25], [8, 0.75]])); // prettier-ignore
    expect(referenceOf(reference, 'fraud')).toBeUndefined();
  });
  test('a row without a prediction is missing, the greatest difference is found, rounding explains some', async () => {
    const vectors = new Vectors(fraud, 2);
    for (const sequence of [7, 8]) vectors.take({ eventId: `tx-${sequence}`, sequence, features: {} } as unknown as FeaturesValue, 0); // prettier-ignore
    const compared = (served: readonly number[], published = Number.NaN, excepted = 0): Promise<object> =>
      compareWithReference({
        reference: referenceOf(readReferenceScores(referenced), 'fraud-lr')!,
        inTest: new Set([7]),
        excepted: new Set([excepted]),
        vectors,
        served: Float64Array.from(served),
        rawFiles: [],
        askPublished: ids => Promise.resolve(ids.map(() => published)),
      });
    expect(await compared([0.25, 0.5])).toMatchObject({ rows: 2, worst: 0.25, missing: 0, roundedAway: 0 });
    expect(await compared([0.25, Number.NaN])).toMatchObject({ rows: 1, worst: 0, missing: 1 });
    expect(await compared([0.25, 0.5], 0.75)).toMatchObject({ worst: 0, roundedAway: 1 });
    expect(await compared([0.25, 0.5], Number.NaN, 8)).toMatchObject({ rows: 2, worst: 0 });
  });
});

describe('verdict', () => {
  const clean = (
    mismatches: Readonly<Record<string, number>> = {},
    epochs: ParityResult['epochs'] = 'live',
  ): ParityResult => ({
    epochs,
    duplicates: 0,
    kills: 0,
    rows: 2,
    columns: Object.fromEntries(
      Object.keys(FRAUD_COLUMNS).map(name => [
        name,
        { compared: 2, mismatches: mismatches[name] ?? 0, worst: 0 },
      ]),
    ),
    seconds: 1,
    recordsPerSecond: 1,
    cpuSecondsPerMillion: 1,
    missing: 0,
    doubled: 0,
    memory: null,
    latencyMs: null,
    why: null,
    skew: null,
    dataset: null,
    again: null,
    scores: { a: { rows: 3, worst: 1e-6 }, b: { rows: 3, worst: 0 } },
  });

  const skew = (vectors: Partial<Skew['vectors']>): Skew => ({
    vectors: { matched: 2, differing: 0, missing: 0, extra: 0, excused: 0, ...vectors },
    features: {},
    late: 0,
    stale: 0,
    metricsDiffering: [],
  });

  const SAME = { first: 'a', again: 'a', like: 'a', recomputed: 'a' };
  const judged: Judged = {
    rows: 3, values: 9, mismatches: 0, columns: {}, missing: 0, extra: 0, doubled: 0, labelled: 1, onAnEdge: 0, sameTime: 0, undecided: 0, mistakes: {}, wrong: [],
  }; // prettier-ignore
  const dataset = (more: Partial<DatasetResult>): ParityResult => ({
    ...clean(),
    dataset: { digests: SAME, judged, reds: { edges: 1 }, ...more },
  });

  test('a dataset that pandas agrees with is no difference', () => {
    expect(differences(dataset({}))).toEqual([]);
  });
  test('what differs from a reference is said beside what differs from the model itself', () => {
    const of = {
      roundedAway: 0,
      auc: 0.9,
      averagePrecision: 0.5,
      cardPrecisionAt100: 0.3,
      offline: { rows: 3, worst: 0 },
    };
    const scores = { a: { ...of, rows: 2, worst: 2e-5, missing: 1 }, b: { rows: 3, worst: 0 } };
    expect(differences({ ...clean(), scores })).toEqual([
      '1 rows of the reference have no score by a',
      'scores of a differ from the reference by up to 0.00002',
    ]);
  });
  test('nothing differs, and live terminal columns may', () => {
    expect(differences(clean({ TERMINAL_ID_RISK_7DAY_WINDOW: 1 }))).toEqual([]);
    expect(differences(clean({ TERMINAL_ID_RISK_7DAY_WINDOW: 1 }, 'replay'))).toEqual([
      'TERMINAL_ID_RISK_7DAY_WINDOW differs in 1 rows',
    ]);
  });
  test.each([
    ['a calendar column', clean({ TX_DURING_NIGHT: 1 })],
    ['a customer column', clean({ CUSTOMER_ID_NB_TX_7DAY_WINDOW: 1 })],
    ['a missing vector', { ...clean(), missing: 1 }],
    ['a doubled vector', { ...clean(), doubled: 1 }],
    ['no rows', { ...clean(), rows: 0 }],
    ['a score', { ...clean(), scores: { a: { rows: 3, worst: 2e-5 } } }],
    ['a missing score', { ...clean(), scores: { a: { rows: 3, worst: 0 }, b: { rows: 2, worst: 0 } } }],
    [
      'a row that no epoch explains',
      { ...clean(), why: { rows: 2, overtaken: 1, causes: {}, unexplained: 1 } },
    ],
    ['a vector that differs when run again', { ...clean(), again: { rows: 9, differing: 1 } }],
    [
      'a count of features verify',
      {
        ...clean(),
        why: { rows: 1, overtaken: 1, causes: { late: 1 }, unexplained: 0 },
        skew: skew({ differing: 0 }),
      },
    ],
    ['a vector that features verify misses', { ...clean(), skew: skew({ missing: 1 }) }],
    ['a metric that says something else', { ...clean(), skew: { ...skew({}), metricsDiffering: ['a 1'] } }],
    ['a dataset of other bytes', dataset({ digests: { ...SAME, again: 'b' } })],
    ['a dataset that pandas refuses', dataset({ judged: { ...judged, wrong: ['label differs in 1 rows'] } })],
    ['a mistake that pandas does not see', dataset({ reds: { edges: 0 } })],
    ['nothing to run again', { ...clean(), again: { rows: 0, differing: 0 } }],
    ['no scores', { ...clean(), scores: { a: { rows: 0, worst: 0 } } }],
  ])('%s is a difference', (_, result) => {
    expect(differences(result)).toHaveLength(1);
  });
});

test('vectors: rows in the order of their coming, a second one of an event is counted and not taken', () => {
  const vectors = new Vectors(fraud, 2);
  const vector = (eventId: string, amount: number) =>
    ({ eventId, sequence: 7, features: { amount } }) as unknown as FeaturesValue;
  vectors.take(vector('a', 1), 10);
  vectors.take(vector('b', 2), 30);
  vectors.take(vector('a', 3), 20);
  expect([vectors.rows, vectors.doubled, vectors.lastAppendMs]).toEqual([2, 1, 30]);
  expect([vectors.row(0)[0], vectors.row(vectors.rowOf('b')!)[0], vectors.row(0)[1]]).toEqual([
    1,
    2,
    Number.NaN,
  ]);
  expect(() => vectors.take(vector('c', 1), 0)).toThrow(RangeError);
});

test('CPU seconds of this process are counted, of none are not', () => {
  if (process.platform === 'linux') {
    const { user, system } = process.cpuUsage();
    expect(Math.abs(cpuSeconds(process.pid)! - (user + system) / 1e6)).toBeLessThan(0.5);
  }
  expect(cpuSeconds(2 ** 30)).toBeUndefined();
});
