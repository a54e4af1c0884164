import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Bisection } from '../../src/processor/bisect.ts';

test('finds every bad record, in few steps, and condemns no good one', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(fc.nat(199), { maxLength: 4 }),
      (length, chosen) => {
        const bad = new Set(chosen.filter(offset => offset < length));
        const bisection = new Bisection();
        const condemned = new Set<number>();
        let failures = 0;
        for (let done = false; !done;) {
          done = true;
          let next = 0;
          for (const { from, to, condemned: given } of bisection.pieces(length, i => i)) {
            expect(from).toBe(next);
            next = to;
            if (given) continue;
            if (![...bad].some(offset => offset >= from && offset < to)) continue;
            const offset = bisection.failed({ first: from, last: to - 1 });
            if (offset !== undefined) condemned.add(offset);
            failures++;
            done = false;
            break;
          }
        }
        expect(condemned).toEqual(bad);
        expect(failures).toBeLessThanOrEqual(bad.size * (Math.ceil(Math.log2(length)) + 2));
      },
    ),
  );
});

test('hands what follows a bad record over in growing pieces: the next of a row fails alone at once', () => {
  const bisection = new Bisection();
  bisection.failed({ first: 2, last: 2 });
  const sizes = bisection.pieces(20, i => i).map(({ from, to }) => to - from);
  expect(sizes).toEqual([2, 1, 1, 2, 4, 8, 2]);
});

test('forgets what is committed', () => {
  const bisection = new Bisection();
  bisection.failed({ first: 5, last: 5 });
  bisection.failed({ first: 6, last: 9 });
  expect(bisection.pieces(10, i => i).length).toBeGreaterThan(1);
  bisection.committed(10);
  expect(bisection.pieces(10, i => i)).toEqual([{ from: 0, to: 10, condemned: false }]);
});
