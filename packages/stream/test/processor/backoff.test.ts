import { expect, test } from '@jest/globals';
import { Backoff } from '../../src/processor/backoff.ts';

const options = { attemptsMax: 6, delayMsFirst: 100, delayMsMax: 1_000, totalMsMax: 60_000 };

test('doubles up to the longest delay, until the attempts are spent', () => {
  const backoff = new Backoff(options, () => 1);
  expect(Array.from({ length: 6 }, () => backoff.failed(0))).toEqual([100, 200, 400, 800, 1_000, undefined]);
});

test('jitter takes off up to a half', () => {
  expect(new Backoff(options, () => 0).failed(0)).toBe(50);
});

test('gives up when the next attempt would be past the total', () => {
  const backoff = new Backoff({ ...options, totalMsMax: 1_000 }, () => 1);
  expect([backoff.failed(5_000), backoff.failed(5_800), backoff.failed(5_900)]).toEqual([
    100,
    200,
    undefined,
  ]);
});

test('a success gives the budget back', () => {
  const backoff = new Backoff({ ...options, attemptsMax: 2 }, () => 1);
  expect(backoff.failed(0)).toBe(100);
  backoff.succeeded();
  expect(backoff.failed(9e9)).toBe(100);
});

test('waiting for a world that is absent spends nothing, and gives the time back', () => {
  const backoff = new Backoff({ ...options, attemptsMax: 3, totalMsMax: 1_000 }, () => 1);
  expect(backoff.failed(0)).toBe(100);
  expect([1, 2, 3, 4, 5].map(hour => backoff.absent(hour * 3_600_000))).toEqual([
    200, 400, 800, 1_000, 1_000,
  ]);
  expect([backoff.failed(5 * 3_600_000), backoff.failed(5 * 3_600_000)]).toEqual([1_000, undefined]);
});

test('a clock that steps an hour ahead and back spends a minute, and attempts that take long spend what they take', () => {
  const backoff = new Backoff({ ...options, attemptsMax: 100, totalMsMax: 300_000 }, () => 1);
  const hourMs = 3_600_000;
  expect([backoff.failed(0), backoff.failed(hourMs), backoff.failed(0)]).toEqual([100, 200, 400]);
  const later = [1, 2, 3, 4].map(minute => backoff.failed(minute * 60_000 - 1));
  expect(later).toEqual([800, 1_000, 1_000, undefined]);
});
