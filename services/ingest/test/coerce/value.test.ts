import { expect, test } from '@jest/globals';
import { Bad } from '@millrace/avro';
import { readSchema } from '../../src/coerce/schema.ts';
import { toValue } from '../../src/coerce/value.ts';

const schema = readSchema(
  JSON.stringify({
    type: 'record',
    name: 'Ticket',
    fields: [
      { name: 'kind', type: { type: 'enum', name: 'Kind', symbols: ['chat', 'mail'] }, default: 'chat' },
      { name: 'tags', type: { type: 'array', items: 'string' }, default: [] },
      { name: 'weights', type: { type: 'map', values: 'double' }, default: {} },
      { name: 'photo', type: ['null', 'bytes'], default: null },
      { name: 'part', type: { type: 'record', name: 'Part', fields: [{ name: 'n', type: 'int' }] } },
      { name: 'other', type: ['null', 'Part'], default: null },
      { name: 'mixed', type: ['null', 'boolean', 'long'], default: null },
    ],
  }),
);
const part = { n: 1 };

test('defaults are filled in, and every kind of type is taken', () => {
  expect(toValue(schema, { part })).toEqual({
    kind: 'chat',
    tags: [],
    weights: {},
    photo: null,
    part,
    other: null,
    mixed: null,
  });
  const given = {
    kind: 'mail',
    tags: ['a'],
    weights: { x: '1.5' },
    photo: 'aGk=',
    part,
    other: { n: '2' },
    mixed: 5,
  };
  expect(toValue(schema, given)).toEqual({
    ...given,
    weights: { x: 1.5 },
    photo: Buffer.from('hi'),
    other: { n: 2 },
  });
});

test.each([
  [{ kind: 'fax' }, 'kind', 'one of chat, mail'],
  [{ tags: ['a', 5] }, 'tags[1]', 'a whole number; send a text'],
  [{ tags: Array.from({ length: 10_001 }, () => 'a') }, 'tags', '10001 items'],
  [{ tags: ['x'.repeat(262_145)] }, 'tags[0]', '262145 bytes'],
  [{ tags: ['\uD800'] }, 'tags[0]', 'Unicode'],
  [{ weights: { x: 'NaN' } }, 'weights.x', 'finite number'],
  [{ weights: JSON.parse('{"__proto__":1}') as unknown }, 'weights.__proto__', 'never accepted'],
  [{ photo: 'a' }, 'photo', 'base64'],
  [{ part: { n: 1, m: 2 } }, 'part.m', 'no field'],
  [{ part: {} }, 'part.n', 'missing'],
  [{ other: [] }, 'other', 'an array; send an object'],
  [{ mixed: 'x' }, 'mixed', 'true or false'],
])('%# names the field and the remedy', (change, field, words) => {
  const found = toValue(schema, { part, ...change }) as Bad;
  expect(found).toBeInstanceOf(Bad);
  expect(found.field).toBe(field);
  expect(found.message).toContain(words);
});

test('a name of any length makes a short answer', () => {
  const found = toValue(schema, { part, ['x'.repeat(100_000)]: 1 }) as Bad;
  expect(found.message.length).toBeLessThan(300);
});
