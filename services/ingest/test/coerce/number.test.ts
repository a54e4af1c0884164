import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decimalNumber, timestampMs, wholeNumber } from '../../src/coerce/number.ts';

test.each([
  ['2018-04-01T00:00:31Z', 1_522_540_831_000],
  ['2018-04-01T02:00:31.5+02:00', 1_522_540_831_500],
  ['2018-04-01T00:00:31.123456789Z', 1_522_540_831_123],
  ['2018-03-31T19:30-04:30', 1_522_540_800_000],
  [1_522_540_831_000, 1_522_540_831_000],
  [-1, -1],
])('%s is a time', (json, ms) => {
  expect(timestampMs(json)).toBe(ms);
});

test.each([
  '2018-04-01',
  '2018-04-01T00:00:31',
  '2018-04-31T00:00:00Z',
  '2019-02-29T00:00:00Z',
  '2018-04-01T24:00:00Z',
  '2018-04-01T00:00:00+99:00',
  '1522540831000',
  'Sun, 01 Apr 2018 00:00:31 GMT',
  8.64e15 + 1,
  1.5,
  null,
  true,
])('%s is no time', json => {
  expect(timestampMs(json)).toBeUndefined();
});

test('every time that a date can write is read back', () => {
  fc.assert(
    fc.property(
      fc.date({ noInvalidDate: true, min: new Date('0000-01-01'), max: new Date('9999-12-31') }),
      date => {
        expect(timestampMs(date.toISOString())).toBe(date.getTime());
      },
    ),
  );
});

test('numbers may be texts, and nothing else may', () => {
  expect(['7', '-0', '+12', 2 ** 53 - 1].map(wholeNumber)).toEqual([7, 0, 12, 2 ** 53 - 1]);
  expect(['', ' 1', '1e3', '0x10', '1.0', 2 ** 53, '9007199254740993', null, [1]].map(wholeNumber)).toEqual(
    Array.from({ length: 9 }, () => undefined),
  );
  expect(['1.50', '.5', '-2.', '1e3', 5].map(decimalNumber)).toEqual([1.5, 0.5, -2, 1_000, 5]);
  expect(
    ['', '.', 'NaN', 'Infinity', '1e999', '1,5', '0x1', `1${'0'.repeat(64)}`, null].map(decimalNumber),
  ).toEqual(Array.from({ length: 9 }, () => undefined));
});
