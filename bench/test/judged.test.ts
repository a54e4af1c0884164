import { expect, test } from '@jest/globals';
import { areRight, wrongsOf } from '../src/judged.ts';

const account = { answers: 9, missing: 0, doubled: 0, foreign: 0, wrongScores: 0, worstScore: 0 };
const verdict = { ...account, wrongFields: 0, bytesMean: 400 };

test('a round is right where both judges say so, or the one that there is', () => {
  expect(areRight({ account, verdict })).toBe(true);
  expect(areRight({ account, verdict: null })).toBe(true);
  expect(areRight({ account: null, verdict })).toBe(true);
  expect(wrongsOf({ account, verdict })).toBe('');
});

test.each(['missing', 'doubled', 'foreign', 'wrongScores'] as const)(
  '%s to either of them is wrong',
  what => {
    expect(areRight({ account: { ...account, [what]: 1 }, verdict })).toBe(false);
    expect(areRight({ account, verdict: { ...verdict, [what]: 1 } })).toBe(false);
  },
);

test('what one of them says is in the line of the round', () => {
  const one = { account, verdict: { ...verdict, wrongFields: 3 } };
  expect(areRight(one)).toBe(false);
  expect(wrongsOf(one)).toMatch(/^, WRONG: .*"wrongFields":3/);
});
