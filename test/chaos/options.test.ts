import { expect, test } from '@jest/globals';
import { readOptions } from './options.ts';

test('options have defaults, and each mistake is named', () => {
  expect(readOptions([])).toMatchObject({
    seed: 1,
    delivery: 'exactly_once',
    output: 'table',
    scenarios: undefined,
  });
  expect(readOptions(['--scenario', '1, broker-kill', '--brokers', '3'])).toMatchObject({
    scenarios: ['1', 'broker-kill'],
    brokers: 3,
  });
  expect(() => readOptions(['--brokers', '2'])).toThrow("--brokers: 1 or 3, not '2'");
  expect(() => readOptions(['--minutes', 'x'])).toThrow(
    "--minutes: a number from 0.5 to 1440 is needed, found 'x'",
  );
  expect(() => readOptions(['--scenario', '1', '--minutes', '3'])).toThrow('one of them');
  expect(() => readOptions(['--nonsense'])).toThrow('nonsense');
});
