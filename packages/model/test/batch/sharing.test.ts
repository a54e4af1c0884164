import { describe, expect, test } from '@jest/globals';
import { scoreIsolating } from '../../src/batch/isolate.ts';
import { sharingScorer } from '../../src/batch/sharing.ts';
import { type Rows, type Scorer, ScorerLost, ScoringError } from '../../src/scorer.ts';

const WIDTHS = { input: 2, output: 3 };

/** Answers a row of `a`, `b` with `a`, `b`, `a + b`; refuses every call with a row whose first value is `POISON`. */
const POISON = 13;
const engine = (asked: number[], fault?: Error): Scorer => ({
  provider: 'stub',
  close: async () => void asked.push(-1),
  score: async ({ rows, data }: Rows) => {
    asked.push(rows);
    if (fault !== undefined) throw fault;
    const answers = new Float32Array(rows * 3);
    for (let i = 0; i < rows; i++) {
      const [a, b] = [data[i * 2]!, data[i * 2 + 1]!];
      if (a === POISON) throw new ScoringError('refused');
      answers.set([a, b, a + b], i * 3);
    }
    return { data: answers, computeMs: rows };
  },
});
const batch = (...firsts: readonly number[]): Rows => ({
  rows: firsts.length,
  data: Float32Array.from(firsts.flatMap(a => [a, 100])),
});
const sums = (data: Float32Array): number[] => [...data].filter((_, i) => i % 3 === 2);

describe('batches that share a call', () => {
  test('each have the answers of their own rows; one of them tells of the call', async () => {
    const asked: number[] = [];
    const scorer = sharingScorer(engine(asked));
    const answers = await Promise.all([batch(1, 2), batch(3), batch(4, 5, 6)].map(one => scorer.score(one)));
    expect(asked).toEqual([6]);
    expect(answers.map(({ data }) => sums(data))).toEqual([[101, 102], [103], [104, 105, 106]]);
    expect(answers.map(({ callRows, computeMs }) => [callRows, computeMs])).toEqual([
      [6, 6],
      [0, 6],
      [0, 6],
    ]);
    const { calls } = await scoreIsolating(scorer, batch(1, 2), WIDTHS);
    expect(calls).toEqual([{ rows: 2, ms: 2 }]);
  });

  test('calls that are open together do not write over each other', async () => {
    const goes: (() => void)[] = [];
    const slow = engine([]);
    const scorer = sharingScorer({
      ...slow,
      score: async rows => {
        await new Promise<void>(resolve => goes.push(resolve));
        return slow.score(rows);
      },
    });
    const open: Promise<{ readonly data: Float32Array }>[] = [];
    for (const from of [1, 3, 5]) {
      open.push(scorer.score(batch(from)), scorer.score(batch(from + 1)));
      await new Promise(resolve => setImmediate(resolve));
    }
    for (const go of goes) go();
    expect((await Promise.all(open)).flatMap(({ data }) => sums(data))).toEqual([
      101, 102, 103, 104, 105, 106,
    ]);
  });

  test('are those of one turn of the event loop', async () => {
    const asked: number[] = [];
    const scorer = sharingScorer(engine(asked));
    await scorer.score(batch(1));
    await scorer.score(batch(2));
    expect(asked).toEqual([1, 1]);
  });

  test('are few: a larger one has a call of its own', async () => {
    const asked: number[] = [];
    const scorer = sharingScorer(engine(asked));
    const many = (rows: number): Rows => batch(...Array.from({ length: rows }, (_, i) => 1_000 + i));
    await Promise.all([many(200), many(50), many(300), many(1)].map(one => scorer.score(one)));
    expect(asked).toEqual([250, 300, 1]);
  });

  test('do not answer for each other: a row that is refused is found, and the others are scored', async () => {
    const asked: number[] = [];
    const scorer = sharingScorer(engine(asked));
    const found = await Promise.all(
      [batch(1, 2), batch(3, POISON, 5, 6)].map(one => scoreIsolating(scorer, one, WIDTHS)),
    );
    expect(found.map(({ failed }) => [...failed.keys()])).toEqual([[], [1]]);
    expect(sums(found[0]!.data)).toEqual([101, 102]);
    expect(sums(found[1]!.data).toSpliced(1, 1)).toEqual([103, 105, 106]);
    // The shared call, each alone, and the halves of the one with the bad row.
    expect(asked.slice(0, 3)).toEqual([6, 2, 4]);
  });

  test('are lost together where the engine is gone', async () => {
    const asked: number[] = [];
    const scorer = sharingScorer(engine(asked, new ScorerLost('gone')));
    const ends = await Promise.allSettled([scorer.score(batch(1)), scorer.score(batch(2))]);
    expect(ends.map(end => (end.status === 'rejected' ? end.reason : undefined))).toEqual([
      expect.any(ScorerLost),
      expect.any(ScorerLost),
    ]);
    expect(asked).toEqual([2]);
  });

  test('are answered before the scorer closes', async () => {
    const asked: number[] = [];
    const scorer = sharingScorer(engine(asked));
    const answers = [scorer.score(batch(1)), scorer.score(batch(2))];
    await scorer.close();
    expect((await Promise.all(answers)).map(({ data }) => sums(data))).toEqual([[101], [102]]);
    expect(asked).toEqual([2, -1]);
  });
});
