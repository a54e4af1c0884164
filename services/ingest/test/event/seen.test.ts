import { expect, test } from '@jest/globals';
import { turnedClock } from '@millrace/telemetry';
import { Seen } from '../../src/event/seen.ts';

test('an event is known until its time is over, or more came than are remembered', async () => {
  const clock = turnedClock();
  const seen = new Seen({ horizonMs: 100, eventsMax: 2, clock });
  seen.add('t', 'a', 0);
  expect([seen.has('t', 'a', 0), seen.has('t', 'a', 1), seen.has('u', 'a', 0)]).toEqual([true, false, false]);
  await clock.turn(99);
  expect(seen.has('t', 'a', 0)).toBe(true);
  await clock.turn(1);
  expect(seen.has('t', 'a', 0)).toBe(false);
  for (const id of ['b', 'c', 'd']) seen.add('t', id, 0);
  expect(['b', 'c', 'd'].map(id => seen.has('t', id, 0))).toEqual([false, true, true]);
});
