import { expect, test } from '@jest/globals';
import { Room } from '../src/bytes.ts';

const KB = 1_024;

test('memory is used again once it was left and all in it is acknowledged, and not before', () => {
  const room = new Room();
  room.renew(10 * KB);
  const first = room.into.buffer;
  const { lent } = room;
  // Two batches lie in it, of which the first is acknowledged before the second is written.
  lent!.add();
  room.end += 4 * KB;
  lent!.acknowledged();
  expect(room.has(4 * KB)).toBe(true);
  lent!.add();
  room.end += 4 * KB;
  const other = new Room();
  other.renew(10 * KB);
  expect(other.into.buffer === first).toBe(false);
  room.renew(10 * KB);
  expect(room.into.buffer === first).toBe(false);
  expect(room.end).toBe(0);
  other.renew(10 * KB);
  expect(other.into.buffer === first).toBe(false);
  lent!.acknowledged();
  const third = new Room();
  third.renew(10 * KB);
  expect(third.into.buffer === first).toBe(true);
});

test('there is as much room as is asked for', () => {
  const room = new Room();
  expect(room.has(1)).toBe(false);
  room.renew(300 * KB);
  expect(room.has(300 * KB)).toBe(true);
  room.end = 300 * KB;
  expect(room.has(room.into.length)).toBe(false);
});
