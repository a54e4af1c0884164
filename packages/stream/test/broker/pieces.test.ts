import { expect, test } from '@jest/globals';
import { Pieces } from '../../src/broker/pieces.ts';

const KB = 1_024;

test('a piece that was given back is used again, by whatever view, and only by one', () => {
  const pieces = new Pieces(1_000 * KB);
  const first = pieces.take(100 * KB);
  expect(pieces.take(100 * KB).buffer).not.toBe(first.buffer);
  pieces.give(first.subarray(10, 20));
  const second = pieces.take(90 * KB);
  expect(second.buffer).toBe(first.buffer);
  expect(second.length).toBeGreaterThanOrEqual(90 * KB);
  expect(pieces.take(90 * KB).buffer).not.toBe(first.buffer);
  pieces.give(second);
  expect(pieces.take(500 * KB).buffer).not.toBe(first.buffer);
});

test('so many bytes are kept, no more, the last ones; and neither small pieces nor large ones', () => {
  const pieces = new Pieces(300 * KB);
  const taken = [0, 1, 2, 3, 4].map(() => pieces.take(100 * KB));
  for (const one of taken) pieces.give(one);
  const again = new Set([0, 1, 2, 3, 4].map(() => pieces.take(100 * KB).buffer));
  // Each is 128 KiB.
  expect(taken.map(({ buffer }) => again.has(buffer))).toEqual([false, false, false, true, true]);
  for (const bytes of [100, 3_000 * KB]) {
    const piece = pieces.take(bytes);
    pieces.give(piece);
    expect(pieces.take(bytes).buffer).not.toBe(piece.buffer);
  }
});
