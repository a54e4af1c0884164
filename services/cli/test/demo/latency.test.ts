import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Latencies } from '../../src/demo/latency.ts';

test('percentiles are the nearest rank of the sorted list', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 1 }),
      fc.integer({ min: 1, max: 100 }),
      (list, percent) => {
        const latencies = new Latencies(1000);
        for (const ms of list) latencies.add(ms);
        const sorted = list.toSorted((a, b) => a - b);
        expect(latencies.percentile(percent / 100)).toBe(
          sorted[Math.max(1, Math.ceil((percent / 100) * list.length)) - 1],
        );
      },
    ),
  );
});

test('nothing measured is not zero', () => {
  expect(new Latencies().percentile(0.5)).toBeNaN();
});
