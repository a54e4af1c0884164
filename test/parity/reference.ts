/** Scores that others computed, beside those on the topic, and how good these are. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { figuresOf, type JudgedRow } from '@millrace/cli';
import { type ReferenceResult, SCORE_TOLERANCE } from './compare.ts';
import { readCsv, readTransactions } from './read.ts';
import type { Vectors } from './vectors.ts';

/** Looked at by the published figure each day. */
const CARDS_A_DAY = 100;
const IN_TEST = 'in_test_set';

export interface ReferenceScores {
  /** By model, as its column is called, then by transaction id. */
  readonly models: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Rows that the published figures are taken over. */
  readonly inTest: ReadonlySet<number>;
}

/** Files `scores_*.csv` or `.csv.gz`: transaction id, `in_test_set` (without it all rows are), a column for each model. */
export const readReferenceScores = (folder: string): ReferenceScores => {
  const files = readdirSync(folder).filter(name => /^scores_.*\.csv(\.gz)?$/.test(name)).sort(); // prettier-ignore
  if (files.length === 0) throw new RangeError(`${folder} holds no files scores_*.csv or .csv.gz`);
  const models = new Map<string, Map<number, number>>();
  const inTest = new Set<number>();
  for (const file of files) {
    const { columns, rows } = readCsv(join(folder, file));
    const testColumn = columns.indexOf(IN_TEST);
    for (const row of rows) {
      const id = Number(row[0]);
      if (testColumn < 0 || row[testColumn] === '1') inTest.add(id);
      for (let c = 1; c < columns.length; c++) {
        if (c === testColumn) continue;
        const scores = models.get(columns[c]!) ?? new Map<number, number>();
        models.set(columns[c]!, scores.set(id, Number(row[c])));
      }
    }
  }
  return { models, inTest };
};

/** The reference of a model: `fraud-lr` has the column `lr`. */
export const referenceOf = (
  { models }: ReferenceScores,
  name: string,
): ReadonlyMap<number, number> | undefined =>
  [...models].find(([column]) => name === column || name.endsWith(`-${column}`))?.[1];

export interface ReferenceRun {
  readonly reference: ReadonlyMap<number, number>;
  /** Rows that the published figures are over. */
  readonly inTest: ReadonlySet<number>;
  /** Rows with two right answers: not compared. */
  readonly excepted: ReadonlySet<number>;
  readonly vectors: Vectors;
  /** By row of the vectors; NaN where no answer came. */
  readonly served: Float64Array;
  readonly rawFiles: readonly string[];
  /** The model's answers to published features of these transactions; NaN where none are published. */
  readonly askPublished: (ids: readonly number[]) => Promise<ArrayLike<number>>;
}

export const compareWithReference = async (run: ReferenceRun): Promise<ReferenceResult> => {
  const { reference, inTest, excepted, vectors, served, rawFiles, askPublished } = run;
  const scores = new Map<number, number>();
  const apart: number[] = [];
  let worst = 0;
  for (let row = 0; row < vectors.rows; row++) {
    const id = vectors.sequence(row);
    const expected = reference.get(id);
    if (expected === undefined || Number.isNaN(served[row]!)) continue;
    scores.set(id, served[row]!);
    if (excepted.has(id)) continue;
    const off = Math.abs(served[row]! - expected);
    if (off > SCORE_TOLERANCE) apart.push(id);
    else worst = Math.max(worst, off);
  }
  const answers = apart.length === 0 ? [] : await askPublished(apart);
  const wrong = apart.filter((id, i) => !(Math.abs(answers[i]! - reference.get(id)!) <= SCORE_TOLERANCE));
  for (const id of wrong) worst = Math.max(worst, Math.abs(scores.get(id)! - reference.get(id)!));
  const rows: JudgedRow[] = [];
  for (const { id, customerId, txAt, isFraud } of readTransactions(rawFiles)) {
    const score = scores.get(id);
    if (score === undefined || !inTest.has(id)) continue;
    rows.push({
      eventId: String(id),
      entity: customerId,
      eventTime: txAt,
      score,
      truth: isFraud,
      group: [],
      people: [],
    });
  }
  const figures = figuresOf(rows, [], { k: CARDS_A_DAY, leaveOutKnownSinceMs: undefined });
  return {
    rows: scores.size,
    worst,
    missing: reference.size - scores.size,
    roundedAway: apart.length - wrong.length,
    auc: figures.auc,
    averagePrecision: figures.averagePrecision,
    cardPrecisionAt100: figures.entityPrecisionAtK,
  };
};
