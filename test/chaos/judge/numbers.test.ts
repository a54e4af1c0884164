import { expect, test } from '@jest/globals';
import { judgeNumbers } from './numbers.ts';

const line = (offset: number, value: number) => ({ partition: 0, offset, key: 'k', value: String(value) });

test('numbers are judged by what was acknowledged: lost, doubled, out of order', () => {
  const acknowledged = new Set([0, 1, 2]);
  const clean = { lost: 0, doubled: 0, reordered: 0 };
  expect(judgeNumbers(acknowledged, [line(0, 0), line(1, 1), line(2, 2), line(3, 9)])).toEqual(clean);
  expect(judgeNumbers(acknowledged, [line(0, 0), line(1, 2)])).toEqual({ ...clean, lost: 1 });
  expect(judgeNumbers(acknowledged, [line(0, 0), line(1, 1), line(2, 1), line(3, 2)])).toEqual({
    ...clean,
    doubled: 1,
  });
  expect(judgeNumbers(acknowledged, [line(0, 1), line(1, 0), line(2, 2)])).toEqual({
    ...clean,
    reordered: 1,
  });
});
