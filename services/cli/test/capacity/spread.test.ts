import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { busiestShare, fewestPartitions, fewestProcesses, takenOver } from '../../src/capacity/spread.ts';

describe('how work is shared', () => {
  test.each([
    [6, 1, 1],
    [6, 4, 2 / 6],
    [6, 6, 1 / 6],
    [7, 3, 3 / 7],
  ])('of %i partitions the busiest of %i processes has %f', (partitions, processes, share) => {
    expect(busiestShare(partitions, processes)).toBeCloseTo(share, 12);
  });

  test('a hot entity cannot be divided', () => {
    expect(busiestShare(10, 10, 0.5)).toBeCloseTo(0.55, 12);
    expect(fewestPartitions(0.5, 0.5)).toBe(Number.POSITIVE_INFINITY);
  });

  test('when one is gone the busiest successor has that many more', () => {
    expect([takenOver(6, 1), takenOver(6, 2), takenOver(6, 3), takenOver(6, 6)]).toEqual([6, 3, 1, 1]);
  });

  test('as few as can be: with one less the busiest would have too much', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.double({ min: 0.01, max: 1.5, noNaN: true }),
        fc.double({ min: 0, max: 0.3, noNaN: true }),
        (partitions, part, hot) => {
          const processes = fewestProcesses(partitions, part, hot);
          if (processes === undefined)
            expect(busiestShare(partitions, partitions, hot)).toBeGreaterThan(part);
          else {
            expect(busiestShare(partitions, processes, hot)).toBeLessThanOrEqual(part + 1e-9);
            if (processes > 1) expect(busiestShare(partitions, processes - 1, hot)).toBeGreaterThan(part);
          }
          const needed = fewestPartitions(part, hot);
          if (!Number.isFinite(needed)) return;
          expect(busiestShare(needed, needed, hot)).toBeLessThanOrEqual(part + 1e-9);
          if (needed > 1) expect(busiestShare(needed - 1, needed - 1, hot)).toBeGreaterThan(part - 1e-9);
        },
      ),
    );
  });
});
