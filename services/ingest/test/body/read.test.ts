import { expect, test } from '@jest/globals';
import { Bad } from '@millrace/avro';
import { JSON_VALUES_MAX, parseJson } from '../../src/body/json.ts';
import { type MediaType, readBody } from '../../src/body/read.ts';

const EVENTS_MAX = 10;
const reasonOf = (type: MediaType, text: string): string => {
  const body = readBody(type, Buffer.from(text), {}, EVENTS_MAX);
  return body instanceof Bad ? `${body.reason}: ${body.message}` : body.kind;
};

test('millions of values in few bytes are refused before anything is built from them', () => {
  const empty = (count: number): string => `[${Array.from({ length: count }, () => '{}').join(',')}]`;
  const found = parseJson(Buffer.from(empty(JSON_VALUES_MAX)));
  expect(found).toBeInstanceOf(Bad);
  expect((found as Bad).message).toContain(`more than ${JSON_VALUES_MAX} values`);
  // Each counts twice: its comma, and its bracket.
  expect(parseJson(Buffer.from(empty(JSON_VALUES_MAX / 2 - 1)))).not.toBeInstanceOf(Bad);
  // Commas and brackets in texts are none.
  expect(parseJson(Buffer.from(JSON.stringify(',[{'.repeat(JSON_VALUES_MAX))))).not.toBeInstanceOf(Bad);
});

test('empty lines are skipped, as long as there are not too many', () => {
  expect(reasonOf('application/x-ndjson', '\n{}\r\n\r\n{}\n')).toBe('many');
  expect(reasonOf('application/x-ndjson', `{}${'\n'.repeat(EVENTS_MAX)}`)).toBe('many');
  expect(reasonOf('application/x-ndjson', '\n'.repeat(EVENTS_MAX + 1))).toContain('empty lines');
  expect(reasonOf('application/x-ndjson', '{}\n'.repeat(EVENTS_MAX + 1))).toContain('more than 10 events');
});

test.each(['application/json', 'application/cloudevents-batch+json'] as const)(
  '%s: more events than may be are counted, not looked at',
  type => {
    expect(reasonOf(type, `[${'null,'.repeat(EVENTS_MAX)}null]`)).toContain('more than 10 events');
    expect(reasonOf(type, '[null]')).toBe('many');
    expect(reasonOf(type, '[]')).toContain('holds no event');
  },
);
