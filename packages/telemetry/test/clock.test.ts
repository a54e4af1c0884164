import { expect, jest, test } from '@jest/globals';
import { Elapsed, systemClock } from '../src/index.ts';

test('what goes by between looks is summed; a clock that is set ahead counts for a minute, one set back for nothing', () => {
  const elapsed = new Elapsed(1_000);
  const hourMs = 3_600_000;
  const looks = [1_000, 1_500, 31_500, 31_500 + hourMs, 32_500 + hourMs, 0, 250];
  expect(looks.map(nowMs => elapsed.at(nowMs))).toEqual([0, 500, 30_500, 90_500, 91_500, 91_500, 91_750]);
});

test('a signal ends all sleeps that it was given to with its reason, and none that had ended', async () => {
  const over = new AbortController();
  const reason = new Error('over');
  await systemClock.sleep(1, over.signal);
  const sleeps = [60_000, 90_000].map(ms => systemClock.sleep(ms, over.signal));
  const other = systemClock.sleep(5, new AbortController().signal);
  over.abort(reason);
  for (const sleep of sleeps) await expect(sleep).rejects.toBe(reason);
  await expect(systemClock.sleep(1, over.signal)).rejects.toBe(reason);
  await other;
});

test('a signal has one listener, however many sleeps', async () => {
  const over = new AbortController();
  const listened = jest.spyOn(over.signal, 'addEventListener');
  await Promise.all([1, 2, 3].map(ms => systemClock.sleep(ms, over.signal)));
  await systemClock.sleep(1, over.signal);
  expect(listened).toHaveBeenCalledTimes(1);
});
