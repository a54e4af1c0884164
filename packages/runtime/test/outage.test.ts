import { expect, test } from '@jest/globals';
import { type Clock, type Logger, noLogger, noMetrics, turnedClock } from '@millrace/telemetry';
import { Outage } from '../src/outage.ts';

class Away extends Error {
  readonly retriable = true;
}

const rig = () => {
  const clock = turnedClock(0);
  const said: string[] = [];
  const gauge: number[] = [];
  const logger: Logger = {
    ...noLogger,
    warn: (_, text) => said.push(text),
    info: (_, text) => said.push(text),
  };
  const outage = new Outage({
    dependency: 'database',
    clock,
    logger,
    metrics: { ...noMetrics, set: (_name, _labels, value) => gauge.push(value) },
  });
  return { clock, said, gauge, outage, stopping: new AbortController() };
};

test('an outage is ridden out by all who ask, and said once: when it begins and when it ends', async () => {
  const { clock, said, gauge, outage, stopping } = rig();
  const { signal } = stopping;
  let away = true;
  const ask = async (): Promise<string> => {
    if (away) throw new Away('nobody answers');
    return 'yes';
  };
  const all = Promise.all([1, 2, 3].map(() => outage.ride(ask, { signal })));
  await clock.turn(3_600_000);
  expect(outage.notReady()).toBe('waits for the database, for 3600 s by now: nobody answers');
  expect([said.length, gauge]).toEqual([1, [0, 1]]);
  away = false;
  await clock.turn(2_000);
  expect(await all).toEqual(['yes', 'yes', 'yes']);
  expect(outage.notReady()).toBeUndefined();
  expect([said.length, gauge]).toEqual([2, [0, 1, 0]]);
});

test('what waiting does not mend is thrown at once; so is the last error when the time is over', async () => {
  const { clock, outage, stopping } = rig();
  const { signal } = stopping;
  const ride = (error: Error) =>
    outage.ride(
      async () => {
        throw error;
      },
      { signal, waitMsTotalMax: 5_000 },
    );
  await expect(ride(new Error('for good'))).rejects.toThrow('for good');
  const waiting = expect(ride(new Away('for now'))).rejects.toThrow('for now');
  await clock.turn(5_000);
  await waiting;
});

test('who is told to stop waits no longer', async () => {
  const { clock, outage, stopping } = rig();
  const waiting = expect(
    outage.ride(
      async () => {
        throw new Away('gone');
      },
      { signal: stopping.signal },
    ),
  ).rejects.toThrow('stop');
  await clock.turn(10_000);
  stopping.abort(new Error('stop'));
  await waiting;
});

test('a clock that steps ahead by hours does not end the waiting', async () => {
  const { clock, stopping } = rig();
  let [calls, aheadMs] = [0, 0];
  const stepping: Clock = { ...clock, now: () => clock.now() + aheadMs };
  const riding = new Outage({ dependency: 'kafka', clock: stepping }).ride(
    async () => {
      if (++calls === 3) return 'yes';
      aheadMs += 3_600_000;
      throw new Away('for now');
    },
    { signal: stopping.signal, waitMsTotalMax: 300_000 },
  );
  await clock.turn(1_000);
  expect(await riding).toBe('yes');
});
