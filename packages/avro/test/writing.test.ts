import { describe, expect, test } from '@jest/globals';
import { localCodec } from '../src/index.ts';

interface Value {
  name: string;
  inner: { n: number };
}
const schema = JSON.stringify({
  type: 'record',
  name: 'V',
  fields: [
    { name: 'name', type: 'string' },
    {
      name: 'inner',
      type: { type: 'record', name: 'I', fields: [{ name: 'n', type: 'int', default: 4 }] },
    },
  ],
});

describe('encoding', () => {
  test('frames with the schema id', () => {
    expect([...localCodec<Value>(schema, 258).encode({ name: 'a', inner: { n: 1 } })]).toEqual([
      0, 0, 0, 1, 2, 2, 0x61, 2,
    ]);
  });

  test('gives bytes of their own: a later value does not change them', () => {
    const codec = localCodec<Value>(schema);
    const first = codec.encode({ name: 'first', inner: { n: 1 } });
    const copy = Uint8Array.from(first);
    codec.encode({ name: 'other', inner: { n: 2 } });
    expect(Uint8Array.from(first)).toEqual(copy);
  });

  test('grows with large values and shrinks with small ones', () => {
    const codec = localCodec<Value>(schema);
    for (const length of [10, 1_018, 1_019, 1_020, 1_021, 100_000, 3]) {
      const value = { name: 'x'.repeat(length), inner: { n: length } };
      expect(codec.decode(codec.encode(value))).toEqual(value);
    }
  });

  test('names the field that does not fit, not its value', () => {
    const codec = localCodec<Value>(schema);
    const wrong = { name: 'n', inner: { n: 'secret' } } as unknown as Value;
    expect(() => codec.encode(wrong)).toThrow(
      new TypeError("field 'inner.n' is string and does not fit int"),
    );
    expect(() => codec.encode({ name: 'n' } as Value)).toThrow("field 'inner' is undefined");
    expect(() => codec.encode(null as unknown as Value)).toThrow('the value is null');
  });

  test('fills in defaults', () => {
    const codec = localCodec<Value>(schema);
    const value = { name: 'n', inner: {} } as Value;
    expect(codec.decode(codec.encode(value))).toEqual({ name: 'n', inner: { n: 4 } });
  });
});
