import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { GroupedMap, groupOf } from '../../src/state/grouped.ts';

test('a group holds the entries of its keys, whenever it is first asked for', () => {
  const key = fc.constantFrom('a\0x\0one', 'a\0x\0two', 'a\0y\0one', 'a\0y\0', 'b');
  const step = fc.oneof(
    fc.record({ what: fc.constant('set' as const), key }),
    fc.record({ what: fc.constantFrom('delete' as const, 'ask' as const, 'clear' as const), key }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const grouped = new GroupedMap<number>();
      const plain = new Map<string, number>();
      steps.forEach(({ what, key: of }, i) => {
        if (what === 'set') {
          grouped.set(of, i);
          plain.set(of, i);
        } else if (what === 'delete') {
          grouped.delete(of);
          plain.delete(of);
        } else if (what === 'clear' && i % 5 === 0) {
          grouped.clear();
          plain.clear();
        } else {
          const group = groupOf(of);
          const within = [...plain].filter(([name]) => groupOf(name) === group);
          expect(new Map(grouped.inGroup(group))).toEqual(new Map(within));
        }
      });
      expect([...grouped.entries()]).toEqual([...plain]);
    }),
  );
});
