import { expect, test } from '@jest/globals';
import { turnedClock } from '@millrace/telemetry';
import { type Component, Readiness, startAll, stopAll } from '../src/index.ts';

/** Parts that write down what happens to them. */
const recorded =
  (log: string[]) =>
  (name: string, more: Partial<Component> = {}): Component => ({
    name,
    start: async () => void log.push(`start ${name}`),
    stop: async () => void log.push(`stop ${name}`),
    ...more,
  });

test('parts start in order and stop in reverse, once', async () => {
  const log: string[] = [];
  const part = recorded(log);
  const running = await startAll([part('a'), part('b')]);
  await Promise.all([running.stop(), running.stop()]);
  expect(log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
});

test('when a part cannot start, those begun are stopped, and its reason is thrown', async () => {
  const log: string[] = [];
  const part = recorded(log);
  const reason = new Error('no broker');
  const parts = [part('a'), part('b', { start: () => Promise.reject(reason) }), part('c')];
  await expect(startAll(parts)).rejects.toBe(reason);
  expect(log).toEqual(['start a', 'stop b', 'stop a']);
});

test('an abort between two parts ends the start', async () => {
  const log: string[] = [];
  const part = recorded(log);
  const abort = new AbortController();
  const first = part('a', { start: async () => abort.abort(new Error('stop')) });
  await expect(startAll([first, part('b')], abort.signal)).rejects.toThrow('stop');
  expect(log).toEqual(['stop a']);
});

test('a part that hangs or throws does not keep the others from being stopped', async () => {
  const log: string[] = [];
  const part = recorded(log);
  const clock = turnedClock();
  const hanging = part('hangs', { stop: () => new Promise(() => undefined) });
  const throwing = part('throws', { stop: () => Promise.reject(new Error('broken')) });
  const stopped = stopAll([part('a'), hanging, throwing], 1_000, { clock });
  const outcome = expect(stopped).rejects.toThrow('not every part stopped');
  await clock.turn(1_000);
  await outcome;
  expect(log).toEqual(['stop a']);
});

test('a failure after the start names its part', async () => {
  let fail: (error: Error) => void = () => undefined;
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const running = await startAll([recorded([])('sick', { failed })]);
  fail(new Error('lost'));
  await expect(running.failed).rejects.toThrow('sick failed');
  await running.stop();
});

test('readiness: starting, what the part says, ready, draining', async () => {
  const readiness = new Readiness();
  let reason: string | undefined = 'restoring';
  const seen: object[] = [];
  const part = recorded([])('task', {
    start: async () => void seen.push(readiness.notReady()),
    notReady: () => reason,
  });
  const running = await startAll([part], undefined, { readiness });
  seen.push(readiness.notReady());
  reason = undefined;
  seen.push(readiness.notReady());
  await running.stop();
  seen.push(readiness.notReady());
  expect(seen).toEqual([{ task: 'starting: restoring' }, { task: 'restoring' }, {}, { process: 'draining' }]);
});
