import { describe, expect, test } from '@jest/globals';
import { Bad, frame, type Limits, localCodec } from '../src/index.ts';

const LIMITS: Partial<Limits> = { itemCountMax: 100, fieldBytesMax: 50, valueBytesMax: 200 };
const read = (type: unknown, bytes: number[]): unknown => {
  const schema = JSON.stringify({ type: 'record', name: 'R', fields: [{ name: 'f', type }] });
  return localCodec<{ f: unknown }>(schema, 1, LIMITS).decode(frame(1, Uint8Array.from(bytes)));
};
const array = { type: 'array', items: 'int' };
const map = { type: 'map', values: 'int' };
const key = [...Buffer.from('__proto__')];

describe('bytes that fit no value', () => {
  test.each([
    ['a long that never ends', 'long', Array(30).fill(0x80), 'bad-value'],
    ['a long of 11 bytes', 'long', [...Array(10).fill(0x80), 0], 'bad-value'],
    ['a long beyond 2^53', 'long', [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], 'bad-value'],
    ['an int beyond 2^31', 'int', [0x80, 0x80, 0x80, 0x80, 0x10], 'bad-value'],
    ['a boolean of 2', 'boolean', [2], 'bad-value'],
    ['a double cut short', 'double', [1, 2, 3], 'bad-value'],
    ['a string longer than the bytes', 'string', [20, 0x61], 'bad-value'],
    ['a string of length -1', 'string', [1], 'bad-value'],
    ['a string beyond the limit', 'string', [102, ...Array(51).fill(0x61)], 'too-large'],
    ['a branch that does not exist', ['null', 'int'], [4], 'bad-value'],
    ['a branch below zero', ['null', 'int'], [1], 'bad-value'],
    ['a symbol that does not exist', { type: 'enum', name: 'E', symbols: ['A'] }, [2], 'bad-value'],
    ['an array of 20 million items', array, [0x80, 0xda, 0xc4, 0x13], 'too-large'],
    ['an array that counts down', array, [1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1], 'bad-value'],
    ['an array of small blocks beyond the limit', array, Array.from({ length: 60 }, () => [4, 0, 0]).flat(), 'too-large'],
    ['a block that is shorter than it says', array, [1, 8, 0, 0], 'bad-value'],
    ['a block of length below zero', array, [1, 3, 0, 0], 'bad-value'],
    ['an array that does not end', array, [2, 0], 'bad-value'],
    ['the key __proto__', map, [2, 18, ...key, 0, 0], 'bad-value'],
    ['bytes left over', 'int', [0, 0], 'bad-value'],
    ['no bytes', 'int', [], 'bad-value'],
    ['a value beyond the limit', { type: 'fixed', name: 'F', size: 300 }, Array(300).fill(0), 'too-large'],
  ])('%s', (_, type, bytes, reason) => {
    const value = read(type, bytes as number[]);
    expect(value).toBeInstanceOf(Bad);
    expect((value as Bad).reason).toBe(reason);
  }); // prettier-ignore

  test('name the path of the field', () => {
    const inner = { type: 'record', name: 'I', fields: [{ name: 'ok', type: 'int' }, { name: 'cut', type: 'int' }] }; // prettier-ignore
    expect((read(inner, [0]) as Bad).field).toBe('f.cut');
  });

  test('never show what the value was', () => {
    expect(JSON.stringify(read('string', [20, ...Buffer.from('secret')]))).not.toContain('secret');
  });
});

describe('bytes that fit', () => {
  test.each([
    ['an int', 'int', [0x01], -1],
    ['the least int', 'int', [0xff, 0xff, 0xff, 0xff, 0x0f], -2147483648],
    ['a large long', 'long', [0xfc, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f], 2 ** 53 - 2],
    ['an array in two blocks, one with its length', array, [3, 4, 2, 4, 2, 6, 0], [1, 2, 3]],
    ['a map', map, [2, 2, 0x61, 2, 0], { a: 1 }],
    ['a map with the key constructor', map, [2, 22, ...Buffer.from('constructor'), 2, 0], { constructor: 1 }],
    ['null', ['null', 'int'], [0], null],
    ['a symbol', { type: 'enum', name: 'E', symbols: ['A', 'B'] }, [2], 'B'],
  ])('%s', (_, type, bytes, value) => {
    expect(read(type, bytes as number[])).toEqual({ f: value });
  });
});
