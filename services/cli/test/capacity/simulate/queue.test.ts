import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Queue } from '../../../src/capacity/simulate/queue.ts';

test('first in, first out, and nothing is lost, whatever is added and taken', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 60 })), {
        maxLength: 300,
      }),
      steps => {
        const queue = new Queue();
        const plain: number[] = [];
        for (const [i, [added, most]] of steps.entries()) {
          queue.add(i, added);
          plain.push(...Array.from({ length: added }, () => i));
          const found: number[] = [];
          const count = queue.take(most, (atMs, n) => found.push(...Array.from({ length: n }, () => atMs)));
          expect(found).toEqual(plain.splice(0, most));
          expect(count).toBe(found.length);
          expect([queue.total, queue.oldestMs]).toEqual([plain.length, plain[0]]);
        }
      },
    ),
  );
});

test('long queues forget what was taken', () => {
  const queue = new Queue();
  for (let i = 0; i < 20_000; i++) queue.add(i, 1);
  queue.take(15_000, () => undefined);
  expect([queue.total, queue.oldestMs]).toEqual([5_000, 15_000]);
});
