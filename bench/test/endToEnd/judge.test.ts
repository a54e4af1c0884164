import { expect, test } from '@jest/globals';
import {
  type ChainAccount,
  chainAccount,
  isChainRight,
  OTHER_ORDER_SHARE_MAX,
} from '../../src/endToEnd/judge.ts';
import { Sheet } from '../../src/sheet.ts';

const EXPECTED = Float32Array.from([1, 2, 3]);
const OFFLINE = [0.1, 0.2, 0.3];

const account = (given: {
  readonly payments?: readonly number[];
  readonly onTopic?: number;
  readonly scores?: readonly number[];
}): ChainAccount => {
  const sheet = new Sheet({ names: ['count'], from: 0, to: 3 });
  for (const payment of given.payments ?? [0, 1, 2]) sheet.add(payment, { count: EXPECTED[payment]! });
  const { onTopic = 3, scores = OFFLINE } = given;
  return chainAccount(sheet, { onTopic, expected: EXPECTED, scores, offline: OFFLINE });
};

test('each payment once with its score', () => {
  const right = account({ scores: [0.1, 0.2, 0.300001] });
  expect(isChainRight(right)).toBe(true);
  expect(right.worstScore).toBeCloseTo(1e-6, 9);
});

test('a prediction more on the topic than there are rows is doubled: an upsert hides it', () => {
  const doubled = account({ onTopic: 4 });
  expect(doubled.doubled).toBe(1);
  expect(isChainRight(doubled)).toBe(false);
});

test.each([Number.NaN, 0.21])('a score of %p that should be 0.2 is wrong', score => {
  const wrong = account({ scores: [0.1, score, 0.3] });
  expect(wrong.wrongScores).toBe(1);
  expect(isChainRight(wrong)).toBe(false);
});

test('what is missing has no score that could be wrong', () => {
  const missing = account({ payments: [0, 2], scores: [0.1, 0, 0.3] });
  expect(missing).toMatchObject({ missing: 1, wrongScores: 0 });
  expect(isChainRight(missing)).toBe(false);
});

test('another order of several keys is borne up to a share', () => {
  const of = (otherOrder: number): ChainAccount => ({ ...account({}), answers: 1_000, otherOrder });
  expect(isChainRight(of(1_000 * OTHER_ORDER_SHARE_MAX))).toBe(true);
  expect(isChainRight(of(1_000 * OTHER_ORDER_SHARE_MAX + 1))).toBe(false);
});
