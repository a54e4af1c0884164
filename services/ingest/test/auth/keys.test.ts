import { expect, test } from '@jest/globals';
import { Mistake } from '@millrace/runtime';
import { keyFinder, parseKeys, presentedKey } from '../../src/auth/keys.ts';

test('keys come as pairs in a text, or by name in a file', () => {
  expect(parseKeys('till=key-number-one=, web=key-number-two')).toEqual([
    { name: 'till', key: 'key-number-one=' },
    { name: 'web', key: 'key-number-two' },
  ]);
  expect(parseKeys({ till: 'key-number-one', web: { key: 'key-number-two', pipelines: ['fraud'] } })).toEqual(
    [
      { name: 'till', key: 'key-number-one' },
      { name: 'web', key: 'key-number-two', pipelines: ['fraud'] },
    ],
  );
});

test.each([
  '',
  'key-without-name',
  'a=short',
  'a=key-number-one,b=key-number-one',
  { a: 5 },
  { a: { key: 'key-number-one', pipelines: 'fraud' } },
  { 'a b': 'key-number-one' },
  5,
])('%p are no keys', value => {
  expect(parseKeys(value)).toBeInstanceOf(Mistake);
});

test('a key is found by its whole text only', () => {
  const find = keyFinder([
    { name: 'a', key: 'key-number-one' },
    { name: 'b', key: 'key-number-two' },
  ]);
  expect(['key-number-two', 'key-number-tw', 'key-number-two ', ''].map(text => find(text)?.name)).toEqual([
    'b',
    undefined,
    undefined,
    undefined,
  ]);
});

test('a key is taken from either header', () => {
  expect(presentedKey({ authorization: 'Bearer abc' })).toBe('abc');
  expect(presentedKey({ authorization: 'Basic abc' })).toBeUndefined();
  expect(presentedKey({ 'x-api-key': 'abc' })).toBe('abc');
  expect(presentedKey({ 'x-api-key': ['a', 'b'] })).toBeUndefined();
});
