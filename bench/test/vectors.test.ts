import { expect, test } from '@jest/globals';
import { eventIdOf, indexOf } from '../src/load/vectors.ts';

test('a record of the load is known by its event id, and nothing else is taken for one', () => {
  expect([0, 7, 1_234_567].map(i => indexOf(eventIdOf(i)))).toEqual([0, 7, 1_234_567]);
  expect(['', 'bench-', 'bench-1x', 'other-1', 'bench--1'].map(indexOf)).toEqual([-1, -1, -1, -1, -1]);
});
