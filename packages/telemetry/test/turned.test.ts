import { expect, test } from '@jest/globals';
import { turnedClock } from '../src/index.ts';

test('time stands still until it is turned', async () => {
  const clock = turnedClock(1000);
  let woken = false;
  const sleeping = clock.sleep(50).then(() => (woken = true));
  await clock.turn(49);
  expect([clock.now(), woken]).toEqual([1049, false]);
  await clock.turn(1);
  expect([clock.now(), woken]).toEqual([1050, true]);
  await sleeping;
});

test('sleeps end in order of their time, then of their start, each at its own now', async () => {
  const clock = turnedClock();
  const seen: string[] = [];
  const after = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms);
    seen.push(`${name}@${clock.now()}`);
  };
  const all = [after('c', 30), after('a', 10), after('b', 10), after('far', 99)];
  await clock.turn(40);
  expect(seen).toEqual(['a@10', 'b@10', 'c@30']);
  await clock.turn(59);
  await Promise.all(all);
  expect(seen.at(-1)).toBe('far@99');
});

test('a sleep started by one that ended is seen within the same turn', async () => {
  const clock = turnedClock();
  const ticks: number[] = [];
  const loop = (async () => {
    while (ticks.length < 3) {
      await clock.sleep(10);
      ticks.push(clock.now());
    }
  })();
  await clock.turn(100);
  await loop;
  expect(ticks).toEqual([10, 20, 30]);
  expect(clock.now()).toBe(100);
});

test('an aborted sleep rejects with its reason, before and after its start', async () => {
  const clock = turnedClock();
  const reason = new Error('enough');
  await expect(clock.sleep(10, AbortSignal.abort(reason))).rejects.toBe(reason);
  const stop = new AbortController();
  const sleeping = clock.sleep(10, stop.signal);
  stop.abort(reason);
  await expect(sleeping).rejects.toBe(reason);
});
