import { expect, test } from '@jest/globals';
import { account } from '../src/check.ts';

type World = Parameters<typeof account>[0];

/** Answers of the records 0, 1, … by their outputs, on one partition. */
const accountOf = (answers: readonly Readonly<Record<string, number>>[], scores: readonly number[]) => {
  const run = { length: answers.length, partition: 0, value: (i: number) => i, offset: (i: number) => i };
  const world = {
    broker: {
      admin: { endOffsets: () => Promise.resolve([]) },
      read: async function* () {
        yield await Promise.resolve(run);
      },
    },
    predictions: {
      prepare: () => Promise.resolve(),
      decode: (i: number) => ({ eventId: `bench-${i}`, outputs: answers[i], vectorOffset: i }),
    },
  } as unknown as World;
  const asked = {
    from: 0,
    to: answers.length,
    outTopic: 'p',
    outFrom: [],
    scores: Float32Array.from(scores),
  };
  return account(world, asked);
};

test('the first output is held against the score, whatever its name', async () => {
  expect(await accountOf([{ score: 0.5 }, { y0: 0.25, y1: 9 }], [0.5, 0.25])).toMatchObject({
    answers: 2,
    wrongScores: 0,
  });
  expect(await accountOf([{ y0: 9, y1: 0.25 }], [0.25])).toMatchObject({ wrongScores: 1 });
  expect(await accountOf([{}], [0.25])).toMatchObject({ wrongScores: 1 });
});

test('a score may be off by its size, above 1', async () => {
  const off = (by: number, score: number) => accountOf([{ y0: score + by }], [score]);
  expect(await off(5e-4, 64)).toMatchObject({ wrongScores: 0 });
  expect(await off(7e-4, 64)).toMatchObject({ wrongScores: 1 });
  expect(await off(2e-5, 0.5)).toMatchObject({ wrongScores: 1 });
});
