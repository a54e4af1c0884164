import { describe, expect, test } from '@jest/globals';
import { Bad, cannotRead, DEFAULT_LIMITS } from '../../src/index.ts';
import { quickMove } from '../../src/rewrite/located.ts';
import { Moves } from '../../src/rewrite/moves.ts';
import { type LoadedSchema, loadSchema } from '../../src/schema.ts';
import { framed, met } from './met.ts';

const field = (name: string, type: unknown, more: object = {}): object => ({ name, type, ...more });
const record = (name: string, ...fields: object[]) => ({ type: 'record', name, fields });
const renamed = (name: string, alias: string, ...fields: object[]) => ({ ...record(name, ...fields), aliases: [alias] }); // prettier-ignore
const enumOf = (symbols: readonly string[], more: object = {}) => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...more,
});
const fixed = (name: string, size: number) => ({ type: 'fixed', name, size });
const array = (items: unknown) => ({ type: 'array', items });
const map = (values: unknown) => ({ type: 'map', values });
const pair = (writer: unknown, reader: unknown, limits = DEFAULT_LIMITS) =>
  met(JSON.stringify(writer), JSON.stringify(reader), limits);
/** Of records with one field, which changed. */
const one = (writer: unknown, reader: unknown, limits = DEFAULT_LIMITS) =>
  pair(record('R', field('f', writer)), record('R', field('f', reader)), limits);

const A = [2, 0x61];
const PROTO = [18, ...Buffer.from('__proto__')];
const item = record('I', field('n', 'int'));
const FLOAT_1 = [0, 0, 0x80, 0x3f];
const DOUBLE_1 = [0, 0, 0, 0, 0, 0, 0xf0, 0x3f];

describe('a value becomes ours', () => {
  test.each([
    ['a wider number', 'int', 'double', [2], DOUBLE_1],
    ['a long as a float', 'long', 'float', [2], FLOAT_1],
    ['a wider float', 'float', 'double', FLOAT_1, DOUBLE_1],
    ['a number that may be null now', 'int', ['null', 'double'], [2], [2, ...DOUBLE_1]],
    ['a branch elsewhere', ['null', 'string'], ['string', 'null'], [2, ...A], [0, ...A]],
    ['null elsewhere', ['null', 'string'], ['string', 'null'], [0], [2]],
    ['branches of one type', ['int', 'float'], 'double', [0, 2], DOUBLE_1],
    ['a record into the branch of its name', ['null', item, { ...item, name: 'J' }], [{ ...item, name: 'J' }, item, 'null'], [2, 2], [2, 2]],
    ['a symbol into the branch of its name', enumOf(['A', 'B']), [{ ...enumOf(['A', 'B']), name: 'X' }, enumOf(['A', 'B'])], [2], [2, 2]],
    ['bytes into the branch that has as many', fixed('F', 2), [{ ...fixed('X', 3), aliases: ['F'] }, fixed('F', 2)], [7, 8], [2, 7, 8]],
    ['bytes into the branch of their name', fixed('F', 2), [fixed('X', 2), fixed('F', 2)], [7, 8], [2, 7, 8]],
    ['a number into the first branch that takes it', 'int', ['float', 'double'], [2], [0, ...FLOAT_1]],
    ['a symbol elsewhere', enumOf(['A', 'B']), enumOf(['B', 'A']), [2], [0]],
    ['a symbol that is unknown', enumOf(['A', 'B']), enumOf(['C', 'A'], { default: 'C' }), [2], [0]],
    ['items in blocks, one with its size', array('int'), array('float'), [1, 2, 2, 2, 2, 0], [2, ...FLOAT_1, 2, ...FLOAT_1, 0]],
    ['entries in a block with its size', map('int'), map('float'), [1, 6, ...A, 2, 0], [2, ...A, ...FLOAT_1, 0]],
    ['no items', array('int'), array('float'), [0], [0]],
    ['items with a default more', array(item), array(record('I', field('n', 'int'), field('s', 'string', { default: 'a' }))), [2, 2, 0], [2, 2, ...A, 0]],
    ['a record with another name', item, renamed('J', 'I', field('m', 'int', { aliases: ['n'] }), field('x', 'null', { default: null })), [2], [2]],
  ])('%s', (_, writer, reader, theirs, ours) => {
    const { rewritten, rewrittenChecked, read, readByAvsc } = one(writer, reader);
    expect(rewritten(framed(theirs))).toEqual(framed(ours));
    expect(rewrittenChecked(framed(theirs))).toEqual(framed(ours));
    expect(read(framed(theirs))).toEqual(readByAvsc(framed(theirs)));
  }); // prettier-ignore

  const fields = (...of: readonly string[]): object[] => of.map(name => field(name, 'string'));
  test('fields in another order, with some left out and some with their defaults', () => {
    const added = field('n', ['null', 'int'], { default: null });
    const { rewritten, rewrittenChecked, encode } = pair(record('R', ...fields('a', 'b', 'c', 'd')), record('R', added, ...fields('d', 'a', 'b'), field('m', 'int', { default: -1 }))); // prettier-ignore
    const bytes = encode({ a: '1', b: '2', c: '3', d: '4' });
    for (const found of [rewritten(bytes), rewrittenChecked(bytes)])
      expect(found).toEqual(framed([0, 2, 0x34, 2, 0x31, 2, 0x32, 1]));
  });

  test('one field as two of ours, as it lies and as another', () => {
    const twice = [
      field('a', 'int'),
      field('b', 'int'),
      field('c', 'double', { aliases: ['a'] }),
      field('d', 'long', { aliases: ['a'] }),
    ];
    const { read, rewritten, rewrittenChecked, readByAvsc, encode } = pair(record('R', field('a', 'int'), field('b', 'int')), record('R', ...twice)); // prettier-ignore
    const bytes = encode({ a: 1, b: 2 });
    expect(read(bytes)).toEqual({ a: 1, b: 2, c: 1, d: 1 });
    expect(rewrittenChecked(bytes)).toEqual(rewritten(bytes));
    expect(readByAvsc(bytes)).toEqual({ a: 1, b: 2, c: 1, d: 1 });
  });

  test('a record within, its fields swapped, with fields behind it', () => {
    const inner = (...of: readonly string[]) => record('I', ...fields(...of));
    const [theirs, ours] = [inner('a', 'b'), inner('b', 'a')];
    const writer = record('R', field('i', theirs), field('j', 'I'), field('end', 'string'));
    const { read, rewritten, rewrittenChecked, encode } = pair(
      writer,
      record('R', field('i', ours), field('j', 'I'), field('end', 'string')),
    );
    const value = { i: { a: '1', b: '2' }, j: { a: '3', b: '4' }, end: '5' };
    expect(read(encode(value))).toEqual(value);
    expect(rewrittenChecked(encode(value))).toEqual(rewritten(encode(value)));
  });

  test('a long beyond 2^53 that nobody reads, or that is read as a double', () => {
    const huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
    expect(one('long', 'double').read(framed(huge))).toEqual({ f: 2 ** 63 });
    const skipped = pair(
      record('R', field('huge', 'long'), field('n', 'int')),
      record('R', field('n', 'int')),
    );
    expect(skipped.read(framed([...huge, 2]))).toEqual({ n: 1 });
    const kept = pair(record('R', field('f', 'long'), field('n', 'int')), record('R', field('f', 'long')));
    expect(kept.read(framed([...huge, 2]))).toMatchObject({ reason: 'bad-value' });
  });
});

describe('bytes that fit no value of the writer', () => {
  const LIMITS = { ...DEFAULT_LIMITS, itemCountMax: 100, fieldBytesMax: 50 };
  const long = 'x'.repeat(40);
  test.each([
    ['an int beyond 2^31', 'int', 'double', [0x80, 0x80, 0x80, 0x80, 0x10], 'bad-value'],
    ['an int beyond 2^31 that is a long', 'int', ['null', 'long'], [0x80, 0x80, 0x80, 0x80, 0x10], 'bad-value'],
    ['a long that never ends', 'long', 'float', Array(30).fill(0x80), 'bad-value'],
    ['a float cut short', 'float', 'double', [0, 0, 0], 'bad-value'],
    ['no bytes', 'int', 'float', [], 'bad-value'],
    ['bytes left over', 'int', 'float', [0, 0], 'bad-value'],
    ['a string of length -1', 'string', ['null', 'string'], [1], 'bad-value'],
    ['a string longer than the bytes', 'string', ['null', 'string'], [20, 0x61], 'bad-value'],
    ['a string beyond the limit', 'string', ['null', 'string'], [102, ...Array(51).fill(0x61)], 'too-large'],
    ['a branch that does not exist', ['null', 'int'], ['int', 'null'], [4], 'bad-value'],
    ['a branch below zero', ['null', 'int'], ['int', 'null'], [1], 'bad-value'],
    ['a symbol that does not exist', enumOf(['A', 'B']), enumOf(['B', 'A', 'C']), [4], 'bad-value'],
    ['an array of 20 million items', array('int'), array('float'), [0x80, 0xda, 0xc4, 0x13], 'too-large'],
    ['an array of small blocks beyond the limit', array('int'), array('float'), Array.from({ length: 60 }, () => [4, 0, 0]).flat(), 'too-large'],
    ['a block that is shorter than it says', array('int'), array('float'), [1, 8, 0, 0], 'bad-value'],
    ['a block of length below zero', array('int'), array('float'), [1, 3, 0, 0], 'bad-value'],
    ['an array that does not end', array('int'), array('float'), [2, 0], 'bad-value'],
    ['the key __proto__', map('int'), map('float'), [2, ...PROTO, 0, 0], 'bad-value'],
  ])('%s', (_, writer, reader, bytes, reason) => {
    const { rewritten, rewrittenByAvsc } = one(writer, reader, LIMITS);
    expect(rewritten(framed(bytes as number[]))).toMatchObject({ reason });
    expect((rewritten(framed(bytes as number[])) as Bad).message).not.toMatch(/-\d+ bytes are left/);
    expect(rewrittenByAvsc(framed(bytes as number[]))).toMatchObject({ reason });
  }); // prettier-ignore

  test('are named by the path of the writer’s field, and not shown', () => {
    const inner = record('I', field('ok', 'int'), field('cut', 'int'));
    const wider = renamed('J', 'I', field('ok', 'float'), field('whole', 'double', { aliases: ['cut'] }));
    const found = one(inner, wider).rewritten(framed([0]));
    expect(found).toMatchObject({ reason: 'bad-value', field: 'f.cut' });
    expect(JSON.stringify(one('string', ['null', 'string']).rewritten(framed([20, ...Buffer.from('secret')])))).not.toContain('secret'); // prettier-ignore
  });

  test('a value that grows beyond measure by defaults is too large before its memory is taken', () => {
    const limits = { ...DEFAULT_LIMITS, valueBytesMax: 1_000 };
    const longer = record('I', field('n', 'int'), field('s', 'string', { default: long }));
    const fields = (items: unknown) => [field('a', 'string'), field('f', array(items))];
    const { rewritten, encode } = pair(record('R', ...fields(item)), record('R', ...fields(longer)), limits);
    const of = (count: number) => encode({ a: 'a', f: Array.from({ length: count }, () => ({ n: 0 })) });
    expect(rewritten(of(200))).not.toBeInstanceOf(Bad);
    expect(rewritten(of(220))).toMatchObject({ reason: 'too-large', field: 'f' });
  });
});

test('no function is put together for a schema of hundreds of fields, which is rewritten all the same', () => {
  const wide = (count: number) => {
    const fields = Array.from({ length: count }, (_, i) => field(`f${i}`, 'string'));
    const [writer, reader] = [record('R', ...fields), record('R', fields.at(-1)!)].map(of =>
      loadSchema(JSON.stringify(of), DEFAULT_LIMITS),
    ) as [LoadedSchema, LoadedSchema];
    return quickMove(writer, reader, new Moves(writer, Infinity));
  };
  expect(wide(240)).toBeDefined();
  expect(wide(260)).toBeUndefined();
  const fields = Array.from({ length: 300 }, (_, i) => field(`f${i}`, 'string'));
  const { rewritten } = pair(record('R', ...fields), record('R', fields.at(-1)!));
  expect(rewritten(framed([...Array(299).fill(0), ...A]))).toEqual(framed(A));
});

test('what avsc does not resolve is not rewritten either: it is a mismatch', () => {
  const refused = (writer: unknown, reader: unknown) => {
    const [theirs, ours] = [record('R', field('f', writer)), record('R', field('f', reader))];
    expect(() => one(writer, reader)).toThrow(/cannot be read with ours/);
    return cannotRead(JSON.stringify(ours), JSON.stringify(theirs), DEFAULT_LIMITS);
  };
  for (const [writer, reader] of [
    [['null', 'string'], 'string'], // whatever the value is
    [enumOf(['A', 'B']), enumOf(['A'])],
    ['double', 'float'],
    [item, record('J', field('n', 'int'))],
    [fixed('F', 2), fixed('F', 3)],
  ])
    expect(refused(writer, reader)).toMatch(/\w/);
});
