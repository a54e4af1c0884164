import { expect, test } from '@jest/globals';
import { exactOffset } from '../../src/kafka/exact.ts';

test('an offset is taken exactly, or refused', () => {
  expect(exactOffset('9007199254740991')).toBe(9_007_199_254_740_991);
  expect(exactOffset('-1')).toBe(-1);
  expect(() => exactOffset('9007199254740993')).toThrow(/beyond/u);
});
