import { expect, test } from '@jest/globals';
import { durationMs, parseDuration } from '../src/index.ts';

test('durations are spans of fixed length', () => {
  expect(parseDuration('7d')).toBe(604_800_000);
  expect(parseDuration('1.5h')).toBe(5_400_000);
  expect(parseDuration('500ms')).toBe(500);
  expect(parseDuration('0s')).toBe(0);
  for (const bad of ['', '7', 'd', '-1d', '1w', '1 d', '0.5ms', '1d '])
    expect(parseDuration(bad)).toBeUndefined();
  expect(durationMs('15m')).toBe(900_000);
  expect(() => durationMs('1e3s')).toThrow("'1e3s' is no duration");
});
