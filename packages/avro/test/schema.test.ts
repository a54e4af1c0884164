import { describe, expect, test } from '@jest/globals';
import { cannotRead, DEFAULT_LIMITS, SchemaRefused } from '../src/index.ts';
import { loadSchema } from '../src/schema.ts';

const record = (...fields: object[]): object => ({ type: 'record', name: 'R', fields });
const load = (schema: unknown): unknown =>
  loadSchema(typeof schema === 'string' ? schema : JSON.stringify(schema), DEFAULT_LIMITS);

describe('a schema is refused', () => {
  const nested = (levels: number): object =>
    Array.from({ length: levels }).reduce<object>(items => ({ type: 'array', items }), { type: 'int' });
  // Each record holds the one before twice: 2^14 types in a few lines of text.
  const doubling = Array.from({ length: 14 }).reduce<object>(
    (inner, _, i) => ({
      type: 'record',
      name: `D${i}`,
      fields: [
        { name: 'a', type: inner },
        { name: 'b', type: i === 0 ? 'int' : `D${i - 1}` },
      ],
    }),
    { type: 'int' },
  );

  test.each([
    ['recursion', record({ name: 'next', type: ['null', 'R'] }), 'contains itself'],
    ['array of null', { type: 'array', items: 'null' }, 'take no bytes'],
    ['array of empty records', { type: 'array', items: record() }, 'take no bytes'],
    ['array of records of null', { type: 'array', items: record({ name: 'n', type: 'null' }) }, 'take no bytes'],
    ['depth', nested(40), 'deeper than 32'],
    ['doubling', doubling, 'more than 10000 types'],
    ['a field __proto__', record({ name: '__proto__', type: 'int' }), '__proto__'],
    ['an escaped __proto__', '{"type":"record","name":"R","fields":[{"name":"\\u005f_proto__","type":"int"}]}', '__proto__'],
    ['an inherited type name', record({ name: 'a', type: 'constructor' }), 'undefined type name'],
    ['an unknown type', record({ name: 'a', type: 'text' }), 'undefined type name'],
    ['text that is no JSON', 'syntax = "proto3"', 'no Avro schema'],
    ['deep text', '['.repeat(200_000), 'no Avro schema'],
    ['a long namespace', { ...record(), namespace: 'n.'.repeat(100_000) }, 'a name of more than'],
    ['a long text', JSON.stringify({ ...record(), doc: 'x'.repeat(300_000) }), 'longer than'],
  ])('for %s', (_, schema, message) => {
    expect(() => load(schema)).toThrow(SchemaRefused);
    expect(() => load(schema)).toThrow(message);
  }); // prettier-ignore

  test('but not for types of no width outside of arrays', () => {
    load(record({ name: 'nothing', type: 'null' }, { name: 'empty', type: { ...record(), name: 'E' } }));
    load({ type: 'map', values: 'null' });
  });
});

describe('reading with another schema', () => {
  const v1 = JSON.stringify(record({ name: 'a', type: 'int' }));

  test.each([
    [
      'a field with a default more',
      record({ name: 'a', type: 'int' }, { name: 'b', type: 'int', default: 0 }),
    ],
    ['a field less', record({ name: 'b', type: 'int', default: 0 })],
    ['a wider number', record({ name: 'a', type: 'long' })],
  ])('works with %s', (_, reader) => {
    expect(cannotRead(JSON.stringify(reader), v1, DEFAULT_LIMITS)).toBeUndefined();
  });

  test.each([
    ['a field without default more', record({ name: 'a', type: 'int' }, { name: 'b', type: 'int' })],
    ['another type', record({ name: 'a', type: 'string' })],
    ['another name', { ...record({ name: 'a', type: 'int' }), name: 'Q' }],
  ])('fails with %s', (_, reader) => {
    expect(cannotRead(JSON.stringify(reader), v1, DEFAULT_LIMITS)).toMatch(/\w/);
  });
});
