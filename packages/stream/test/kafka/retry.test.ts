import { expect, test } from '@jest/globals';
import { type Clock, turnedClock } from '@millrace/telemetry';
import { retrying } from '../../src/kafka/retry.ts';

const failing = (times: number, attempts: number[], clock: Clock) => async (): Promise<string> => {
  attempts.push(clock.now());
  if (attempts.length <= times) throw new Error('not yet');
  return 'done';
};

test('waits twice as long each time, up to the longest wait', async () => {
  const clock = turnedClock();
  const attempts: number[] = [];
  const retry = { clock, again: () => true, forMs: 10_000, waitMsMin: 5, waitMsMax: 20 };
  const result = retrying(failing(4, attempts, clock), retry);
  await clock.turn(100);
  expect(await result).toBe('done');
  expect(attempts).toEqual([0, 5, 15, 35, 55]);
});

test('begins no attempt after its time', async () => {
  const clock = turnedClock();
  const attempts: number[] = [];
  const retry = { clock, again: () => true, forMs: 30, waitMsMin: 10, waitMsMax: 10 };
  const result = retrying(failing(99, attempts, clock), retry).catch((error: unknown) => error);
  await clock.turn(1_000);
  expect(await result).toMatchObject({ message: 'not yet' });
  expect(attempts).toEqual([0, 10, 20, 30]);
});

test('fails at once where trying again would not help', async () => {
  const clock = turnedClock();
  const attempts: number[] = [];
  const again = () => false;
  await expect(retrying(failing(1, attempts, clock), { clock, again, forMs: 100 })).rejects.toThrow(
    'not yet',
  );
  expect(attempts).toHaveLength(1);
});

test('ends its wait when it is told to stop', async () => {
  const clock = turnedClock();
  const stop = new AbortController();
  const retry = { clock, again: () => true, forMs: 10_000, waitMsMin: 1_000, signal: stop.signal };
  const result = retrying(failing(1, [], clock), retry).catch((error: unknown) => error);
  await clock.turn(10);
  stop.abort(new Error('stopped'));
  expect(await result).toMatchObject({ message: 'stopped' });
});

test('is not ended by a clock that steps ahead', async () => {
  const clock = turnedClock();
  let aheadMs = 0;
  const stepping: Clock = { ...clock, now: () => clock.now() + aheadMs };
  const attempts: number[] = [];
  const attempt = failing(2, attempts, clock);
  const call = (): Promise<string> => {
    aheadMs += 3_600_000;
    return attempt();
  };
  const result = retrying(call, { clock: stepping, again: () => true, forMs: 150_000 });
  await clock.turn(1_000);
  expect([await result, attempts]).toEqual(['done', [0, 5, 15]]);
});
