import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bad, encodeAlike, localCodec, memoryRegistry, openCodec, writeFrame } from '../src/index.ts';

const RUNS = 1_000;
const field = (name: string, type: unknown, more: object = {}): object => ({ name, type, ...more });
const record = (name: string, ...fields: object[]): object => ({ type: 'record', name, fields });
const INNER = record(
  'Inner',
  field('a', 'double'),
  field('b', 'float'),
  field('c', 'float'),
  field('d', 'string'),
);
const NUMBERS = record('Numbers', field('x', 'float'), field('y', 'float'), field('z', 'float'));
const SCHEMA = record(
  'Row',
  field('id', 'string'),
  field('count', 'int'),
  field('at', { type: 'long', logicalType: 'timestamp-millis' }),
  field('inner', INNER),
  field('flag', 'boolean'),
  field('perhaps', ['null', 'long']),
  field('tags', { type: 'array', items: 'string' }),
  field('numbers', NUMBERS),
  field('raw', 'bytes', { default: '' }),
); // prettier-ignore
const TEXT = JSON.stringify(SCHEMA);

interface Row {
  readonly id: string;
  readonly count: number;
  readonly at: number;
  readonly inner: { readonly a: number; readonly b: number; readonly c: number; readonly d: string };
  readonly flag: boolean;
  readonly perhaps: number | null;
  readonly tags: readonly string[];
  readonly numbers: { readonly x: number; readonly y: number; readonly z: number };
  readonly raw: Uint8Array;
}

/** Small ones are located quickly, large ones in the checked way. */
const upTo = (n: number) => fc.integer({ min: -n, max: n });
const int = fc.oneof({ arbitrary: upTo(2 ** 20), weight: 9 }, { arbitrary: fc.integer(), weight: 1 });
const long = fc.oneof({ arbitrary: upTo(2 ** 42), weight: 9 }, { arbitrary: upTo(2 ** 52), weight: 1 });
const text = fc.string({ unit: 'grapheme', maxLength: 70 });
const row: fc.Arbitrary<Row> = fc.record({
  id: text,
  count: int,
  at: long,
  inner: fc.record({ a: fc.double(), b: fc.float(), c: fc.float(), d: text }),
  flag: fc.boolean(),
  perhaps: fc.option(long),
  tags: fc.array(text, { maxLength: 4 }),
  numbers: fc.record({ x: fc.float(), y: fc.float(), z: fc.float() }),
  raw: fc.uint8Array({ maxLength: 9 }).map(bytes => Buffer.from(bytes)),
});
const SMALL: Row = {
  id: '', count: 1, at: 2, inner: { a: 0, b: 0, c: 0, d: '' }, flag: true, perhaps: null, tags: [], numbers: { x: 0, y: 0, z: 0 },
  raw: Buffer.alloc(0),
}; // prettier-ignore
const PATHS = ['id', 'count', 'at', 'inner.a', 'inner.b', 'inner.c', 'inner.d', 'flag', 'perhaps', 'tags', 'numbers.x', 'numbers.z', 'numbers', 'inner', 'raw']; // prettier-ignore

const codec = localCodec<Row>(TEXT);
const { rows } = codec;
const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((of, name) => (of as Record<string, unknown>)[name], value);

const readIn = (
  of: typeof rows,
  from: number,
  to: number,
  all: Uint8Array,
): Record<string, unknown> | Bad => {
  const base = 3; // Any.
  const starts = new Int32Array(base + of.slots);
  const bytes = of.locate(all, starts, base, from, to);
  if (bytes instanceof Bad) return bytes;
  return Object.fromEntries(PATHS.map(path => [path, of.field(path).read(bytes, starts, base)]));
};

/** Every field of a located value, read from its bytes; between others like it no byte of those is taken for its own. */
const readAll = (of: typeof rows, value: Uint8Array): Record<string, unknown> | Bad => {
  const { length } = value;
  const alone = readIn(of, 0, length, value);
  expect(readIn(of, length, 2 * length, Buffer.concat([value, value, value]))).toEqual(alone);
  return alone;
};

test('each field is read where it lies, as the decoder reads it', () => {
  fc.assert(
    fc.property(row, value => {
      const framed = codec.encode(value);
      const decoded = codec.decode(framed);
      expect(readAll(rows, framed)).toEqual(Object.fromEntries(PATHS.map(path => [path, at(decoded, path)])));
    }),
    { numRuns: RUNS },
  );
});

test('fields follow each other without a gap: their bytes together are the value', () => {
  fc.assert(
    fc.property(row, value => {
      const framed = codec.encode(value);
      const starts = new Int32Array(rows.slots);
      rows.locate(framed, starts, 0);
      let next = 5;
      for (const name of codec.fieldNames) {
        const { start, end } = rows.field(name);
        expect(start(starts, 0)).toBe(next);
        next = end(starts, 0);
        expect(framed.subarray(start(starts, 0), next)).toEqual(codec.encodeField(name, value[name as keyof Row]));
      }
      expect(next).toBe(framed.length);
    }),
    { numRuns: RUNS },
  );
}); // prettier-ignore

test('what the decoder refuses is refused, and nothing else', () => {
  const hostile = fc.tuple(row, fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 4 }), fc.nat(200));
  fc.assert(
    fc.property(hostile, ([value, changes, length]) => {
      const framed = Buffer.from(codec.encode(value));
      for (const [where, byte] of changes) if (where >= 5 && where < framed.length) framed[where] = byte;
      const cut = length % 3 === 0 ? framed.subarray(0, length) : framed;
      const decoded = codec.decode(cut);
      const located = readAll(rows, cut);
      // Of several faults the one that is met first has its say.
      if (decoded instanceof Bad) expect(located).toBeInstanceOf(Bad);
      else expect(located).toEqual(Object.fromEntries(PATHS.map(path => [path, at(decoded, path)])));
    }),
    { numRuns: RUNS },
  );
});

test('bytes that end too early are refused, with the field at which they end', () => {
  fc.assert(
    fc.property(row, fc.nat(), (value, where) => {
      const framed = codec.encode(value);
      const cut = framed.subarray(0, 5 + (where % (framed.length - 5)));
      const message = expect.stringMatching(/the bytes (end before|hold no whole number)/);
      expect(readAll(rows, cut)).toMatchObject({ reason: 'bad-value', field: expect.any(String), message });
    }),
    { numRuns: RUNS },
  );
});

test('a text beyond the limit is refused, be its length in one byte or in two', () => {
  const narrow = localCodec<Row>(TEXT, 1, { fieldBytesMax: 40 });
  for (const [length, isGood] of [
    [40, true],
    [41, false],
    [63, false],
    [64, false],
    [200, false],
  ] as const) {
    const framed = codec.encode({ ...SMALL, id: 'x'.repeat(length) });
    const decoded = narrow.decode(framed);
    expect(decoded instanceof Bad).toBe(!isGood);
    if (isGood) expect(readAll(narrow.rows, framed)).not.toBeInstanceOf(Bad);
    else expect(readAll(narrow.rows, framed)).toMatchObject({ reason: 'too-large', field: 'id' });
  }
});

test('floats side by side are found, in their order only', () => {
  expect(rows.sideBySide(['numbers.x', 'numbers.y', 'numbers.z'])).toBeDefined();
  expect(rows.sideBySide(['inner.b', 'inner.c'])).toBeDefined();
  for (const paths of [
    ['numbers.y', 'numbers.x'],
    ['numbers.x', 'numbers.z'],
    ['inner.c', 'inner.d'],
    ['inner.a'],
    [],
  ])
    // prettier-ignore
    expect(rows.sideBySide(paths)).toBeUndefined();
});

test('a field that is not there, or has no one place, is an error of ours', () => {
  expect(() => rows.field('nothing')).toThrow("the schema Row has no field 'nothing'");
  expect(() => localCodec('"string"').rows).toThrow('a string has no fields');
  expect(() => codec.encodeField('count', 'text')).toThrow("field 'count' is string and does not fit int");
});

test('fields whose bytes mean the same are told from those whose do not', () => {
  const of = (type: unknown) => localCodec(JSON.stringify(record('R', field('f', type)))).rows.field('f');
  const alike = (a: unknown, b: unknown): boolean => encodeAlike(of(a), of(b));
  expect(alike('long', { type: 'long', logicalType: 'timestamp-millis' })).toBe(true);
  expect(alike(NUMBERS, { ...NUMBERS, name: 'Others', doc: 'Said otherwise.' })).toBe(true);
  expect(alike(['null', 'string'], ['string', 'null'])).toBe(false);
  expect(alike('float', 'double')).toBe(false);
  expect(alike(NUMBERS, record('Numbers', field('y', 'float'), field('x', 'float'), field('z', 'float')))).toBe(false); // prettier-ignore
  expect(alike({ type: 'array', items: 'int' }, { type: 'array', items: 'string' })).toBe(false);
});

describe('a value of another schema', () => {
  const SUBJECT = 'rows-value';
  const reader = async (writer: object) => {
    const registry = memoryRegistry();
    await registry.register('writer-value', JSON.stringify(writer));
    await registry.register(SUBJECT, TEXT);
    const writing = await openCodec<object>(registry, {
      subject: 'writer-value',
      schema: JSON.stringify(writer),
    });
    return { writing, reading: await openCodec<Row>(registry, { subject: SUBJECT, schema: TEXT }) };
  };
  const { fields } = SCHEMA as { fields: readonly { readonly name: string; readonly type: unknown }[] };

  test.each([
    ['in another order', fields.toReversed()],
    ['with a field more, and one less that has a default', [...fields.slice(0, -1), field('more', 'string')]],
    ['with narrower numbers', fields.map(one => (one.name === 'at' ? field('at', 'int') : one))],
    ['in other words only', fields.map(one => ({ ...one, doc: 'Said otherwise.' }))],
  ])('%s', async (_, of) => {
    const { writing, reading } = await reader({ ...SCHEMA, fields: of });
    await fc.assert(
      fc.asyncProperty(row, async value => {
        const framed = writing.encode({ ...value, at: value.at | 0, more: 'x' });
        await reading.prepare([framed]);
        const decoded = reading.decode(framed);
        expect(decoded).not.toBeInstanceOf(Bad);
        expect(readAll(reading.rows, framed)).toEqual(
          Object.fromEntries(PATHS.map(path => [path, at(decoded, path)])),
        );
      }),
    );
  });

  test('has bytes of its own, framed as ours, whatever is located after it', async () => {
    const { writing, reading } = await reader({ ...SCHEMA, fields: [...fields, field('more', 'string')] });
    // More than one piece of memory holds.
    const values = fc.sample(row, 2_000).map((value, i) => ({ ...value, count: i }));
    const all = values.map(value => writing.encode({ ...value, more: 'x' }));
    await reading.prepare(all);
    const own = codec.encode(SMALL).subarray(0, 5);
    writeFrame(own, reading.id);
    const starts = new Int32Array(reading.rows.slots * all.length);
    const located = all.map(
      (framed, i) => reading.rows.locate(framed, starts, reading.rows.slots * i) as Buffer,
    );
    for (const [i, bytes] of located.entries()) {
      expect(reading.rows.field('count').read(bytes, starts, reading.rows.slots * i)).toBe(i);
      expect(bytes.subarray(0, 5)).toEqual(own);
    }
  });

  test('that is not known, or cannot be read with ours, is refused as the decoder does', async () => {
    const { writing, reading } = await reader(record('Row', field('id', 'string')));
    const framed = writing.encode({ id: 'x' });
    expect(readAll(reading.rows, framed)).toMatchObject({ reason: 'unknown-schema' });
    await reading.prepare([framed]);
    expect(readAll(reading.rows, framed)).toMatchObject({ reason: 'schema-mismatch' });
    const unframed = Buffer.from('not framed');
    expect(readAll(reading.rows, unframed)).toMatchObject({ reason: 'bad-frame' });
    writeFrame(unframed, 77);
    expect(readAll(reading.rows, unframed)).toMatchObject({ reason: 'unknown-schema' });
  });
});
