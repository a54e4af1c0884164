import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bad, DEFAULT_LIMITS, frame, localCodec } from '../src/index.ts';
import { resolveWriter } from '../src/reading.ts';
import { loadSchema } from '../src/schema.ts';

const RUNS = 3_000;
const field = (name: string, type: unknown, more: object = {}): object => ({ name, type, ...more });
const record = (name: string, ...fields: object[]): object => ({ type: 'record', name, fields });

const WRITER = JSON.stringify(
  record(
    'Order',
    field('id', 'string'),
    field('count', 'int'),
    field('at', { type: 'long', logicalType: 'timestamp-millis' }),
    field('price', 'double'),
    field('weight', 'float'),
    field('paid', 'boolean'),
    field('note', ['null', 'string']),
    field('tags', { type: 'map', values: 'string' }),
    field('lines', { type: 'array', items: record('Line', field('n', 'long'), field('codes', { type: 'array', items: 'int' })) }),
    field('raw', 'bytes'),
    field('digest', { type: 'fixed', name: 'Digest', size: 4 }),
    field('kind', { type: 'enum', name: 'Kind', symbols: ['NEW', 'OLD'] }),
  ),
); // prettier-ignore
/** Leaves out what must be skipped, widens, adds with a default. */
const READER = JSON.stringify(
  record(
    'Order',
    field('count', 'long'),
    field('added', 'string', { default: 'none' }),
    field('lines', { type: 'array', items: record('Line', field('n', 'double')) }),
    field('note', ['null', 'string']),
    field('kind', { type: 'enum', name: 'Kind', symbols: ['NEW', 'OLD'] }),
  ),
);

const bytes = (length: fc.IntArrayConstraints) => fc.uint8Array(length);
const order = fc.record({
  id: fc.string({ unit: 'grapheme' }),
  count: fc.integer(),
  at: fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
  price: fc.double(),
  weight: fc.float(),
  paid: fc.boolean(),
  note: fc.option(fc.string({ unit: 'grapheme' })),
  tags: fc
    .dictionary(fc.string(), fc.string())
    .filter(tags => !Object.hasOwn(tags, '__proto__'))
    .map(tags => ({ ...tags })),
  lines: fc.array(fc.record({ n: fc.integer(), codes: fc.array(fc.integer()) })),
  raw: bytes({}).map(b => Buffer.from(b)),
  digest: bytes({ minLength: 4, maxLength: 4 }).map(b => Buffer.from(b)),
  kind: fc.constantFrom('NEW', 'OLD'),
});
type Order = typeof order extends fc.Arbitrary<infer T> ? T : never;

const codec = localCodec<Order>(WRITER);
const resolved = resolveWriter<Record<string, unknown>>(
  loadSchema(READER, DEFAULT_LIMITS),
  WRITER,
  DEFAULT_LIMITS,
);
if (resolved instanceof Bad) throw new Error(resolved.message);

test('the example of the Avro specification', () => {
  const schema = JSON.stringify(record('test', field('a', 'long'), field('b', 'string')));
  const bytes = Uint8Array.of(0x36, 0x06, 0x66, 0x6f, 0x6f);
  expect(localCodec(schema).decode(frame(1, bytes))).toEqual({ a: 27, b: 'foo' });
  expect([...localCodec(schema).encode({ a: 27, b: 'foo' }).subarray(5)]).toEqual([...bytes]);
});

describe('values', () => {
  test('come back as they went', () => {
    fc.assert(
      fc.property(order, value => {
        const back = codec.decode(codec.encode(value));
        expect(back).toEqual({ ...value, weight: Math.fround(value.weight) });
      }),
      { numRuns: 300 },
    );
  });

  test('are read into the shape of another schema', () => {
    fc.assert(
      fc.property(order, value => {
        expect(resolved.read(codec.encode(value))).toEqual({
          count: value.count,
          added: 'none',
          lines: value.lines.map(({ n }) => ({ n })),
          note: value.note,
          kind: value.kind,
        });
      }),
      { numRuns: 300 },
    );
  });

  test('are plain objects, from top to bottom, with either schema', () => {
    const [value] = fc.sample(order.filter(({ lines }) => lines.length > 0), { numRuns: 1, seed: 1 }); // prettier-ignore
    for (const read of [codec.decode(codec.encode(value!)), resolved.read(codec.encode(value!))]) {
      const { lines } = read as Order;
      for (const one of [read, lines[0]]) expect(Object.getPrototypeOf(one)).toBe(Object.prototype);
    }
  });

  test('of a long beyond 2^53 that we do not read are passed over', () => {
    const writer = JSON.stringify(record('R', field('a', 'int'), field('huge', 'long')));
    const reader = loadSchema(JSON.stringify(record('R', field('a', 'int'))), DEFAULT_LIMITS);
    const found = resolveWriter(reader, writer, DEFAULT_LIMITS);
    if (found instanceof Bad) throw new Error(found.message);
    const huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    expect(found.read(frame(1, Uint8Array.of(2, ...huge)))).toEqual({ a: 1 });
  });
});

describe('hostile bytes give a Bad or a value, never a throw', () => {
  const untouched = Object.getOwnPropertyNames(Object.prototype);
  const harmless = (payload: Uint8Array): void => {
    codec.decode(frame(1, payload));
    codec.decode(payload);
    resolved.read(frame(1, payload));
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(untouched);
  };

  test('random bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), harmless), { numRuns: RUNS });
  });

  test('bytes of true values, some of them changed, left out or put in', () => {
    const change = fc.record({
      at: fc.nat(),
      drop: fc.nat({ max: 3 }),
      put: fc.uint8Array({ maxLength: 6 }),
    });
    const mutated = fc
      .tuple(order, fc.array(change, { minLength: 1, maxLength: 4 }))
      .map(([value, changes]) =>
        changes.reduce(
          (payload, { at, drop, put }) => {
            const i = at % (payload.length + 1);
            return Buffer.concat([payload.subarray(0, i), put, payload.subarray(i + drop)]);
          },
          Buffer.from(codec.encode(value).subarray(5)),
        ),
      );
    fc.assert(fc.property(mutated, harmless), { numRuns: RUNS });
  });

  test('every cut of a true value is a Bad', () => {
    const [value] = fc.sample(order, { numRuns: 1, seed: 7 });
    const whole = codec.encode(value!);
    for (let length = 0; length < whole.length; length++)
      expect(codec.decode(whole.subarray(0, length))).toBeInstanceOf(Bad);
  });
});
