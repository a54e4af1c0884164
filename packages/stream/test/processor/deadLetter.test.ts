import { Bad } from '@millrace/avro';
import { expect, test } from '@jest/globals';
import type { RecordRun } from '../../src/broker/port.ts';
import { deadLetter, HEADER_BYTES_MAX, HEADER_COUNT_MAX } from '../../src/processor/deadLetter.ts';
import { bytes, text } from './rig.ts';

const runWith = (headers: readonly (readonly [string, Uint8Array])[]): RecordRun => ({
  topic: 'in',
  partition: 3,
  length: 1,
  bytes: 0,
  nextOffset: 43,
  highWatermark: 50,
  offset: () => 42,
  appendTimeMs: () => 0,
  key: () => bytes('customer-7'),
  value: () => Uint8Array.of(0, 255, 1),
  header: () => undefined,
  headers: () => headers,
});

const letterFor = (headers: readonly (readonly [string, Uint8Array])[], cause?: unknown) =>
  deadLetter({
    run: runWith(headers),
    index: 0,
    topic: 'in.dlq',
    group: 'g',
    stage: 'inference',
    reason: 'bad-value',
    cause,
    deliveries: 2,
  });

const headersOf = (letter: ReturnType<typeof letterFor>): Record<string, string> =>
  Object.fromEntries(letter.headers!.map(([name, value]) => [name, text(value)]));

test('keeps key, value, partition and headers, and says where, why and how often', () => {
  const letter = letterFor([['traceparent', bytes('00-1')]], new Bad('bad-value', 'is no number', 'amount'));
  expect(letter).toMatchObject({ topic: 'in.dlq', partition: 3 });
  expect([text(letter.key), [...letter.value!]]).toEqual(['customer-7', [0, 255, 1]]);
  expect(headersOf(letter)).toEqual({
    traceparent: '00-1',
    '__dlq.errors.topic': 'in',
    '__dlq.errors.partition': '3',
    '__dlq.errors.offset': '42',
    '__dlq.errors.group': 'g',
    '__dlq.errors.delivery.count': '2',
    '__dlq.errors.message': 'amount: is no number',
    '__dlq.errors.reason': 'bad-value',
    '__dlq.errors.stage': 'inference',
  });
});

test('does not quote an error, whose message may quote the record', () => {
  const letter = letterFor([], new SyntaxError('Unexpected token in "4111 1111 1111 1111"'));
  expect(headersOf(letter)['__dlq.errors.message']).toBe('bad-value: SyntaxError');
});

test('a bomb of headers does not go off again', () => {
  const many = letterFor(Array.from({ length: 8_000 }, (_, i) => [`h${i}`, bytes('x')] as const));
  expect(many.headers).toHaveLength(HEADER_COUNT_MAX + 9);
  expect(headersOf(many)['__dlq.errors.headers.dropped']).toBe(String(8_000 - HEADER_COUNT_MAX));
  const large = letterFor([
    ['large', new Uint8Array(HEADER_BYTES_MAX)],
    ['small', bytes('x')],
  ]);
  expect(headersOf(large)).toMatchObject({ small: 'x', '__dlq.errors.headers.dropped': '1' });
});

test('a letter that fails again tells of its last failure only', () => {
  const letter = letterFor([['__dlq.errors.offset', bytes('7')]]);
  expect(letter.headers!.filter(([name]) => name === '__dlq.errors.offset').map(([, v]) => text(v))).toEqual([
    '42',
  ]);
});
