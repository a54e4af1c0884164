import { expect, test } from '@jest/globals';
import { type NearLimits, nearLimits, shortNear } from '../../src/onnx/nearby.ts';
import { type Rows, type Scorer, ScoringError } from '../../src/scorer.ts';

/** Two engines of one model, and which was asked for how many rows. */
const rig = (msPerRow: () => number, limits?: NearLimits) => {
  const asked: (readonly [where: string, rows: number])[] = [];
  const engine = (where: string): Scorer => ({
    provider: 'cpu',
    close: async () => void asked.push([`${where} closed`, 0]),
    score: async ({ rows, data }: Rows) => {
      asked.push([where, rows]);
      if (data[0] === 13) throw new ScoringError(`refused ${where}`);
      return { data: data.slice(), computeMs: msPerRow() * rows };
    },
  });
  const scorer = shortNear(engine('far'), engine('near'), limits);
  const ask = async (rows: number, first = 1): Promise<string> => {
    await scorer.score({ rows, data: Float32Array.from({ length: rows }, () => first) });
    return asked.at(-1)![0];
  };
  return { scorer, asked, ask };
};

test('short batches are scored near once it is known that they are short, large ones far', async () => {
  const { ask } = rig(() => 0.01);
  expect(await ask(200)).toBe('far');
  expect(await ask(8)).toBe('far');
  expect(await ask(8)).toBe('near');
  expect(await ask(64)).toBe('near');
  expect(await ask(65)).toBe('far');
});

test('a batch that would keep the thread for longer than a millisecond goes far, as far as rows tell', async () => {
  const { ask } = rig(() => 0.1);
  await ask(1);
  expect(await ask(10)).toBe('near');
  expect(await ask(11)).toBe('far');
});

test('with few cores large batches are short, too, as long as they do not take long', async () => {
  expect(nearLimits(3)).toEqual(nearLimits(16));
  const { ask } = rig(() => 0.002, nearLimits(2));
  await ask(1);
  expect(await ask(512)).toBe('near');
  expect(await ask(1_001)).toBe('far');
  const more = rig(() => 0.002, nearLimits(3));
  await more.ask(1);
  expect(await more.ask(512)).toBe('far');
});

test('a model that becomes slow goes far, and comes back when it is fast again', async () => {
  let ms = 0.1;
  const { ask } = rig(() => ms);
  await ask(1);
  expect(await ask(1)).toBe('near');
  ms = 50;
  expect(await ask(1)).toBe('near');
  for (let i = 0; i < 100; i++) expect(await ask(1)).toBe('far');
  ms = 0.1;
  const where: string[] = [];
  for (let i = 0; i < 60; i++) where.push(await ask(1));
  expect([where[0], where.at(-1)]).toEqual(['far', 'near']);
});

test('what the engine refuses is refused, and both are closed', async () => {
  const { scorer, asked, ask } = rig(() => 0.01);
  await ask(1);
  await expect(ask(1, 13)).rejects.toThrow('refused near');
  await scorer.close();
  expect(asked.slice(-2)).toEqual([
    ['far closed', 0],
    ['near closed', 0],
  ]);
});
