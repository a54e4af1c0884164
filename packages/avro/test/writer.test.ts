import { expect, test } from '@jest/globals';
import avsc from 'avsc';
import fc from 'fast-check';
import { ValueWriter } from '../src/index.ts';

type Part = readonly [method: 'whole' | 'double' | 'float' | 'text', value: never, type: string];

/** Of each kind what avsc writes is the reference. */
const part = fc.oneof(
  fc.maxSafeInteger().map(value => ['whole', value, 'long']),
  fc.integer().map(value => ['whole', value, 'int']),
  fc.constantFrom(0, -1, 63, 64, -64, -65, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 37, 2 ** 52, -(2 ** 52) - 1).map(value => ['whole', value, 'long']),
  fc.double().map(value => ['double', value, 'double']),
  fc.float().map(value => ['float', value, 'float']),
  fc.string({ unit: 'grapheme', maxLength: 90 }).map(value => ['text', value, 'string']),
  fc.constantFrom('', 'a'.repeat(63), 'a'.repeat(64), 'é'.repeat(40), 'x'.repeat(40_000)).map(value => ['text', value, 'string']),
) as unknown as fc.Arbitrary<Part>; // prettier-ignore

/** As avsc writes it; below -2^52 avsc loses the last bit, so whole numbers there are reckoned without rounding. */
const reference = ([, value, type]: Part): Buffer => {
  if (type !== 'long' || (Math.abs(value) < 2 ** 53 - 2 && value >= -(2 ** 52)))
    return avsc.Type.forSchema(type).toBuffer(value);
  const bytes: number[] = [];
  let left = BigInt(value) >= 0n ? BigInt(value) * 2n : -BigInt(value) * 2n - 1n;
  for (; left > 127n; left >>= 7n) bytes.push(Number(left & 127n) | 128);
  return Buffer.from([...bytes, Number(left)]);
};

// As text, because arrays are compared item by item.
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The value that ends here, where it lies. */
const taken = (out: ValueWriter): Uint8Array => {
  const { length } = out;
  const start = out.leave();
  return out.memory.subarray(start, start + length);
};
const copied = (out: ValueWriter): Uint8Array => out.copy();

test('writes what avsc writes, values side by side, and copies of their own', () => {
  fc.assert(
    fc.property(fc.array(fc.array(part, { maxLength: 12 }), { maxLength: 8 }), values => {
      const out = new ValueWriter();
      const [left, apart] = [taken, copied].map(how =>
        values.map(parts => {
          for (const [method, value] of parts) out[method](value);
          return how(out);
        }),
      );
      const expected = values.map(parts => Buffer.concat(parts.map(reference)));
      expect(left!.map(hex)).toEqual(expected.map(hex));
      expect(apart!.map(hex)).toEqual(expected.map(hex));
    }),
    { numRuns: 200 },
  );
});

test('begins anew, whatever is left of a value that was not taken', () => {
  const out = new ValueWriter();
  out.text('whole');
  const first = taken(out);
  out.text('half');
  out.begin();
  out.raw(Uint8Array.of(7));
  expect([...taken(out)]).toEqual([7]);
  expect(Buffer.from(first).toString('latin1')).toBe('\u000Awhole');
});
