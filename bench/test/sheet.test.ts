import { expect, test } from '@jest/globals';
import { Sheet } from '../src/sheet.ts';

const NAMES = ['count', 'mean', 'risk'];
const EXPECTED = Float32Array.from([1, 10, 0, 2, Number.NaN, 0.5, 3, 1e9, 0.25]);
const RIGHT = [
  { count: 1, mean: 10, risk: 0 },
  { count: 2, mean: null, risk: 0.5 },
  { count: 3, mean: 1e9, risk: 0.25 },
] as const;

const sheet = () => new Sheet({ names: NAMES, from: 5, to: 8, ordered: new Set(['risk']) });

test('all that was asked for, once and the same, in any order', () => {
  const one = sheet();
  for (const i of [2, 0, 1]) expect(one.add(5 + i, RIGHT[i]!)).toBe(true);
  expect(one.account(EXPECTED)).toEqual({
    answers: 3,
    missing: 0,
    doubled: 0,
    foreign: 0,
    wrongVectors: 0,
    otherOrder: 0,
  });
});

test('one that is missing, one that came twice, and those that nobody asked for', () => {
  const one = sheet();
  one.add(5, RIGHT[0]);
  expect(one.add(5, RIGHT[1])).toBe(false);
  for (const payment of [4, 8, -1]) expect(one.add(payment, RIGHT[0])).toBe(false);
  expect(one.account(EXPECTED)).toMatchObject({
    answers: 5,
    missing: 2,
    doubled: 1,
    foreign: 3,
    wrongVectors: 0,
  });
  expect([one.has(0), one.has(1)]).toEqual([true, false]);
});

test.each([
  ['a value that differs', 0, { count: 2, mean: 10, risk: 0 }],
  ['one that should be missing', 1, { count: 2, mean: 0, risk: 0.5 }],
  ['one that is missing and should not be', 0, { count: 1, mean: null, risk: 0 }],
  ['a column that is not there', 0, { count: 1, risk: 0 }],
] as const)('%s is a wrong vector', (_, row, values) => {
  const one = sheet();
  RIGHT.forEach((right, i) => one.add(5 + i, i === row ? (values as typeof right) : right));
  expect(one.account(EXPECTED)).toMatchObject({ wrongVectors: 1, otherOrder: 0 });
});

test('what rounding does is no difference', () => {
  const one = sheet();
  RIGHT.forEach((right, i) => one.add(5 + i, i === 2 ? { ...right, mean: 1e9 + 64 } : right));
  expect(one.account(EXPECTED)).toMatchObject({ wrongVectors: 0 });
});

test('values that depend on the order of several keys are counted apart, and never hide another difference', () => {
  const one = sheet();
  one.add(5, { ...RIGHT[0], risk: 1 });
  one.add(6, { ...RIGHT[1], count: 9, risk: 1 });
  one.add(7, RIGHT[2]);
  expect(one.account(EXPECTED)).toMatchObject({ wrongVectors: 1, otherOrder: 1 });
});
