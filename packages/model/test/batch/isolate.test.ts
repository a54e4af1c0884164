import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { scoreIsolating } from '../../src/batch/isolate.ts';
import { type Rows, type Scored, ScorerLost, type Scorer, ScoringError } from '../../src/scorer.ts';

const WIDTHS = { input: 2, output: 1 };
const scorerOf = (score: (batch: Rows) => Promise<Scored>): Scorer => ({
  provider: 'stub',
  score,
  close: async () => undefined,
});

/** Adds a row's two values; refuses every batch that holds a row whose first value is in `poison`. */
const adding = (poison: ReadonlySet<number>, asked: number[] = []): Scorer =>
  scorerOf(async ({ rows, data }) => {
    asked.push(rows);
    for (let i = 0; i < rows; i++)
      if (poison.has(data[i * 2]!)) throw new ScoringError(`cannot take ${data[i * 2]}`);
    return {
      data: Float32Array.from({ length: rows }, (_, i) => data[i * 2]! + data[i * 2 + 1]!),
      computeMs: rows,
    };
  });
const batchOf = (rows: number): Rows => ({
  rows,
  data: Float32Array.from({ length: rows * 2 }, (_, k) => (k % 2 === 0 ? k / 2 : 1000)),
});

describe('scoring with isolation', () => {
  test('asks once where nothing is wrong', async () => {
    const asked: number[] = [];
    const { data, failed, calls } = await scoreIsolating(adding(new Set(), asked), batchOf(100), WIDTHS);
    expect(asked).toEqual([100]);
    expect(failed.size).toBe(0);
    expect(data[99]).toBe(1099);
    expect(calls).toEqual([{ rows: 100, ms: 100 }]);
  });

  test('an empty batch asks nothing', async () => {
    const asked: number[] = [];
    const { data } = await scoreIsolating(adding(new Set(), asked), batchOf(0), WIDTHS);
    expect([data.length, asked]).toEqual([0, []]);
  });

  test('rejects the bad row alone, in few calls', async () => {
    const asked: number[] = [];
    const { data, failed } = await scoreIsolating(adding(new Set([37]), asked), batchOf(128), WIDTHS);
    expect([...failed.keys()]).toEqual([37]);
    expect(failed.get(37)!.message).toBe('cannot take 37');
    expect(data[36]).toBe(1036);
    expect(asked.length).toBeLessThanOrEqual(15);
  });

  test('any rows may be bad: those and no others are refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 70 }), fc.uniqueArray(fc.nat(69)), async (rows, bad) => {
        const { data, failed } = await scoreIsolating(adding(new Set(bad)), batchOf(rows), WIDTHS);
        expect([...failed.keys()].sort((a, b) => a - b)).toEqual(
          bad.filter(row => row < rows).sort((a, b) => a - b),
        );
        for (let row = 0; row < rows; row++) if (!failed.has(row)) expect(data[row]).toBe(row + 1000);
      }),
    );
  });

  test('an answer that is not a finite number is a failure of its row', async () => {
    const answers = [1, Number.NaN, 2, Infinity];
    const scorer = scorerOf(async () => ({ data: Float32Array.from(answers), computeMs: 1 }));
    const { failed } = await scoreIsolating(scorer, batchOf(4), WIDTHS);
    expect([...failed.keys()]).toEqual([1, 3]);
  });

  test('a lost scorer is no fault of the rows', async () => {
    let asked = 0;
    const scorer = scorerOf(() => {
      asked++;
      return Promise.reject(new ScorerLost('gone'));
    });
    await expect(scoreIsolating(scorer, batchOf(8), WIDTHS)).rejects.toThrow(ScorerLost);
    expect(asked).toBe(1);
  });
});
