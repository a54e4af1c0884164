import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { EVERY_HASH, type HashRange, UnitTable } from '../../src/reconcile/table.ts';

const same = (key: string): string => key;

test('never holds more than it may, and its passes meet each key once', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string(), { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (keys, unitsMax) => {
      const met: string[] = [];
      let range: HashRange | undefined = EVERY_HASH;
      while (range !== undefined) {
        const table: UnitTable = new UnitTable(range, unitsMax, same);
        for (const key of keys) {
          table.of(key);
          expect(table.units.size).toBeLessThanOrEqual(unitsMax);
        }
        for (const key of table.units.keys()) expect(table.holds(Buffer.from(key))).toBe(true);
        met.push(...table.units.keys());
        range = table.rest;
      }
      expect(met.toSorted()).toEqual(keys.toSorted());
    }),
  );
}); // prettier-ignore

test('more units of one entity than may be held are refused: no further pass could be smaller', () => {
  const passes = (): void => {
    let range: HashRange | undefined = EVERY_HASH;
    while (range !== undefined) {
      const table: UnitTable = new UnitTable(range, 2, () => 'one entity');
      for (const key of ['a', 'b', 'c']) table.of(key);
      range = table.rest;
    }
  };
  expect(passes).toThrow('more than 2 units of entities with one hash');
});
