import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Slabs } from '../../src/state/slabs.ts';

/** Around the sizes of places, and beyond the largest. */
const length = fc.oneof(
  fc.nat(600),
  fc.constantFrom(0, 30, 31, 62, 254, 255, 256, 257, 510, 4_093, 4_094, 4_095, 4_096, 20_000),
);
const step = fc.record({ key: fc.nat(30), length, isFreed: fc.boolean() });

test('each value is what was set last at its place, whatever was set and freed around it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const slabs = new Slabs();
      const places = new Map<number, number>();
      const expected = new Map<number, Buffer>();
      steps.forEach(({ key, length: bytes, isFreed }, i) => {
        const before = places.get(key);
        if (isFreed && before !== undefined) {
          slabs.free(before);
          places.delete(key);
          expected.delete(key);
        } else {
          const value = Buffer.alloc(bytes, i % 256);
          places.set(key, slabs.set(before, value));
          // What was handed over may be written to again.
          expected.set(key, Buffer.from(value));
          value.fill(0xff);
        }
        for (const [of, place] of places) expect(Buffer.from(slabs.get(place))).toEqual(expected.get(of));
      });
      expect(new Set(places.values()).size).toBe(places.size);
    }),
  );
});

test('places are used again: memory does not grow with how often values change', () => {
  const slabs = new Slabs();
  const places: (number | undefined)[] = Array.from({ length: 50 }, () => undefined);
  for (let round = 0; round < 200; round++)
    places.forEach((place, i) => {
      if (place !== undefined && (round + i) % 7 === 0) {
        slabs.free(place);
        places[i] = undefined;
      } else places[i] = slabs.set(place, Buffer.alloc((round * 37 + i * 11) % 500, round));
    });
  // Of each size at most all 50 were there at once: as many places of all sizes up to 512 bytes, and a page more of each.
  expect(slabs.bytes).toBeLessThan(50 * (32 + 48 + 64 + 96 + 128 + 192 + 256 + 384 + 512) + 9 * 16_384);
});
