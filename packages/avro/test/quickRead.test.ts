import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bad, FRAME_BYTES, localCodec } from '../src/index.ts';

const inner = { type: 'record', name: 'I', fields: [{ name: 'a', type: 'string' }, { name: 'b', type: ['null', 'long'] }] }; // prettier-ignore
const schema = JSON.stringify({
  type: 'record',
  name: 'R',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'n', type: 'int' },
    { name: 'at', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'yes', type: 'boolean', default: false },
    { name: 'x', type: 'double' },
    { name: 'f', type: 'float' },
    { name: 'note', type: ['null', 'string'], default: null },
    { name: 'inner', type: ['null', inner], default: null },
    { name: 'always', type: { ...inner, name: 'J' } },
  ],
});
const codec = localCodec<Record<string, unknown>>(schema);

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }),
  fc.string({ minLength: 50, maxLength: 80 }),
  fc.constantFrom('', 'x'.repeat(63), 'x'.repeat(64)),
);
const long = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger().map(n => Math.trunc(n / 2)),
  fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 48, -(2 ** 48)),
);
const record = fc.record({ a: text, b: fc.option(long) });
const value = fc.record({
  id: text,
  n: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  at: long,
  yes: fc.boolean(),
  x: fc.double(),
  f: fc.float(),
  note: fc.option(text),
  inner: fc.option(record),
  always: record,
});

/** The bytes in the midst of others, as records lie in a batch. */
const amidst = (bytes: Uint8Array, before: number): Buffer =>
  Buffer.concat([Buffer.alloc(before, 0xee), bytes, Buffer.alloc(90, 2)]);

test('a value between others is read as it is by itself', () => {
  fc.assert(
    fc.property(value, fc.nat(9), (one, before) => {
      const bytes = codec.encode(one);
      const read = codec.decodeIn!(amidst(bytes, before), before, before + bytes.length);
      expect(read).toStrictEqual(codec.decode(bytes));
      expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    }),
    { numRuns: 500 },
  );
});

test('bytes that are no value are found bad with the same reason, and none beside them are looked at', () => {
  fc.assert(
    fc.property(value, fc.nat(9), fc.nat(1), fc.nat(), fc.nat(255), (one, before, cut, at, byte) => {
      const bytes = Buffer.from(codec.encode(one));
      // Cut off, or with one byte that is another.
      const broken = cut === 1 ? bytes.subarray(0, at % bytes.length) : bytes;
      if (cut === 0) broken[at % bytes.length] = byte;
      const read = codec.decodeIn!(amidst(broken, before), before, before + broken.length);
      expect(read).toStrictEqual(codec.decode(broken));
      if (cut === 1) expect(read).toBeInstanceOf(Bad);
    }),
    { numRuns: 1_000 },
  );
});

test('limits hold, and so does the number of bytes', () => {
  const narrow = localCodec(schema, 1, { fieldBytesMax: 10 });
  const one = { id: 'more than ten', n: 0, at: 0, yes: true, x: 0, f: 0, note: null, inner: null, always: { a: '', b: null } }; // prettier-ignore
  const bytes = codec.encode(one);
  expect(narrow.decodeIn!(amidst(bytes, 3), 3, 3 + bytes.length)).toMatchObject({ reason: 'too-large' });
  const small = localCodec(schema, 1, { valueBytesMax: 20 });
  expect(small.decodeIn!(amidst(bytes, 3), 3, 3 + bytes.length)).toMatchObject({ reason: 'too-large' });
  expect(codec.decodeIn!(amidst(bytes, 3), 3, 4 + bytes.length)).toBeInstanceOf(Bad);
  expect(codec.decodeIn!(amidst(bytes, 3), 3, 2 + FRAME_BYTES)).toMatchObject({ reason: 'bad-frame' });
});

test('a schema with something else in it is read in the checked way', () => {
  const list = JSON.stringify({ type: 'record', name: 'L', fields: [{ name: 'l', type: { type: 'array', items: 'int' } }] }); // prettier-ignore
  const lists = localCodec(list);
  const bytes = lists.encode({ l: [1, 2] });
  expect(lists.decodeIn!(amidst(bytes, 2), 2, 2 + bytes.length)).toEqual({ l: [1, 2] });
});
