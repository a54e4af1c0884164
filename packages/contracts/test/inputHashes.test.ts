import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { INPUT_HASH_DIGITS, inputHash, InputHashes } from '../src/index.ts';

const hashes = new InputHashes();
const BEFORE = 0x2e;

/** Values with something before and behind them, of lengths that fill their last block or do not, and of some that fit no lane. */
const value = fc.record({
  before: fc.nat({ max: 3 }),
  length: fc.oneof(fc.nat({ max: 200 }), fc.constantFrom(55, 56, 63, 64, 119, 120, 1_015, 1_016, 5_000)),
  first: fc.nat({ max: 255 }),
});

test('hashes are those made one at a time, written where they belong and nowhere else', () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 11 }), values => {
      const into = Buffer.alloc((values.length + 1) * (INPUT_HASH_DIGITS + 1), BEFORE);
      const expected = Buffer.from(into);
      values.forEach(({ before, length, first }, i) => {
        const bytes = Buffer.from(Array.from({ length: before + length + 2 }, (_, k) => first + k * 7));
        const at = 1 + i * (INPUT_HASH_DIGITS + 1);
        expected.write(inputHash(bytes.subarray(before, before + length)), at);
        hashes.add(bytes, before, before + length, into, at);
        // It was copied.
        bytes.fill(0);
      });
      hashes.settle();
      hashes.settle();
      expect(into).toEqual(expected);
    }),
  );
});
