import { expect, test } from '@jest/globals';
import { Floats } from '../../src/batch/floats.ts';

test('memory that was given back is used again, for as many values or fewer', () => {
  const floats = new Floats();
  const first = floats.take(5_000);
  floats.give(first);
  const second = floats.take(3_000);
  expect(second.buffer).toBe(first.buffer);
  expect(second.length).toBe(3_000);
  // Not while it is in use, and not for more than it holds.
  expect(floats.take(10).buffer).not.toBe(first.buffer);
  floats.give(second);
  expect(floats.take(50_000).buffer).not.toBe(first.buffer);
});

test('few pieces are kept, none of them a large one', () => {
  const floats = new Floats();
  const taken = Array.from({ length: 20 }, () => floats.take(2_000));
  for (const one of taken) floats.give(one);
  const again = new Set(Array.from({ length: 20 }, () => floats.take(2_000).buffer));
  expect(taken.filter(({ buffer }) => again.has(buffer)).length).toBe(8);
  const large = floats.take(2_000_000);
  floats.give(large);
  expect(floats.take(2_000_000).buffer).not.toBe(large.buffer);
});
