import { expect, test } from '@jest/globals';
import { decodeFetched, loadSource, record, recordBatch } from './patch/load.ts';

test('headers named like members of an object are headers', async () => {
  const batch = recordBatch(0, 0, [
    record(0, 'v', [
      ['__proto__', 'p'],
      ['a', '1'],
    ]),
  ]);
  const [decoded] = await decodeFetched([batch]);
  expect(decoded?.headers['constructor']).toBeUndefined();
  expect(Object.keys(decoded?.headers ?? {})).toEqual(['__proto__', 'a']);
});

test('headers keep their order, also where names repeat or look like numbers', async () => {
  const headers = [
    ['b', '1'],
    ['7', '2'],
    ['b', '3'],
    ['a', ''],
  ] as const;
  const [decoded] = await decodeFetched([recordBatch(0, 0, [record(0, 'v', headers)])]);
  expect(decoded?.headerList?.map(({ key, value }) => [key, value.toString()])).toEqual(headers);
});

test('thousands of headers are gathered in one object', async () => {
  // As shipped, each header copies those before it: 8,000 of them block the loop for more than ten seconds.
  const many = Array.from({ length: 8_000 }, (_, i) => [`h${i}`, 'x'] as const);
  const [decoded] = await decodeFetched([recordBatch(0, 0, [record(0, 'v', many)])]);
  expect(Object.getPrototypeOf(decoded?.headers)).toBeNull();
  expect(Object.keys(decoded?.headers ?? {})).toHaveLength(8_000);
});

test('a list of headers is encoded in its order', () => {
  interface Encoded {
    readonly buffer: Buffer;
  }
  const encode = loadSource('kafkajs/src/protocol/recordBatch/record/v0') as (of: object) => Encoded;
  const headers = [
    ['b', '1'],
    ['a', '2'],
    ['b', '3'],
  ] as const;
  const list = headers.map(([key, value]) => ({ key, value: Buffer.from(value) }));
  const { buffer } = encode({ key: null, value: Buffer.from('v'), headers: list });
  expect(buffer).toEqual(record(0, 'v', headers));
});
