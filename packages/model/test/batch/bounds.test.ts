import { describe, expect, test } from '@jest/globals';
import { batchBounds, type BatchLimits } from '../../src/batch/bounds.ts';

/** Sizes of the next calls when every call is as large as allowed and costs 1 + 0.7 n. */
const sizes = (limits: Partial<BatchLimits>, calls: number): number[] => {
  const bounds = batchBounds({ rowsMax: 10_000, waitMsMax: 0, ...limits });
  return Array.from({ length: calls }, () => {
    const rows = bounds.rowsMax();
    bounds.observe(rows, 1 + 0.7 * rows);
    return rows;
  });
};

// Published vectors: Apache Beam, sdks/python/apache_beam/transforms/util_test.py, BatchElementsTest.
describe('bounds follow the cost as Apache Beam published it', () => {
  test('overhead of 5 %', () => {
    expect(sizes({ overheadShare: 0.05 }, 7)).toEqual([1, 2, 4, 8, 16, 27, 27]);
  });
  test('10 s for the rows', () => {
    expect(sizes({ rowsMsMax: 10 }, 6)).toEqual([1, 2, 4, 8, 14, 14]);
  });
  test('10 s for the call, its fixed cost with it', () => {
    expect(sizes({ callMsMax: 10 }, 6)).toEqual([1, 2, 4, 8, 12, 12]);
  });
});

describe('bounds', () => {
  test('never pass the limit of rows, never fall below one', () => {
    expect(sizes({ overheadShare: 0.05, rowsMax: 10 }, 6)).toEqual([1, 2, 4, 8, 10, 10]);
    expect(sizes({ callMsMax: 0.5 }, 4)).toEqual([1, 2, 1, 1]);
  });

  test('the tighter of two limits holds', () => {
    expect(sizes({ overheadShare: 0.05, callMsMax: 10 }, 6).at(-1)).toBe(12);
  });

  test('calls of one size tell nothing about the slope: grow, but only twofold', () => {
    const bounds = batchBounds({ rowsMax: 512, waitMsMax: 0, callMsMax: 5 });
    for (let i = 0; i < 10; i++) bounds.observe(8, 1);
    expect(bounds.rowsMax()).toBe(16);
  });

  test('the first calls are warm-up', () => {
    const bounds = batchBounds({ rowsMax: 512, waitMsMax: 0, callMsMax: 10 }, { warmUpCalls: 2 });
    bounds.observe(1, 5000);
    bounds.observe(2, 9000);
    for (let rows = 1; rows <= 16; rows *= 2) bounds.observe(rows, 1 + 0.7 * rows);
    expect(bounds.rowsMax()).toBe(12);
  });

  test('pauses that have nothing to do with the call weigh little', () => {
    const bounds = batchBounds({ rowsMax: 512, waitMsMax: 0, callMsMax: 10 });
    for (let i = 0; i < 60; i++) {
      const rows = 1 + (i % 16);
      bounds.observe(rows, 1 + 0.7 * rows + (i % 10 === 0 ? 40 : 0));
    }
    expect(bounds.rowsMax()).toBe(12);
  });

  test('are worked out anew once a tenth of the calls is new, not after each', () => {
    const bounds = batchBounds({ rowsMax: 512, waitMsMax: 0, callMsMax: 10 });
    for (let i = 0; i < 100; i++) bounds.observe(1 + (i % 16), 1 + 0.7 * (1 + (i % 16)));
    expect(bounds.rowsMax()).toBe(12);
    const after: number[] = [];
    for (let i = 0; i < 10; i++) {
      bounds.observe(7 + i, 0.1);
      after.push(bounds.rowsMax());
    }
    expect(after.slice(0, 9)).toEqual(Array(9).fill(12));
    expect(after[9]).toBeGreaterThan(12);
  });

  test('a large call is forgotten with the others of its time', () => {
    const bounds = batchBounds({ rowsMax: 512, waitMsMax: 0 });
    bounds.observe(64, 5);
    for (let i = 0; i < 99; i++) bounds.observe(8, 1);
    expect(bounds.rowsMax()).toBe(128);
    bounds.observe(8, 1);
    expect(bounds.rowsMax()).toBe(16);
  });

  test('follow a cost that changes', () => {
    const bounds = batchBounds({ rowsMax: 512, waitMsMax: 0, callMsMax: 10 });
    for (let i = 0; i < 100; i++) bounds.observe(1 + (i % 16), 1 + 0.7 * (1 + (i % 16)));
    for (let i = 0; i < 100; i++) bounds.observe(1 + (i % 16), 1 + 1.4 * (1 + (i % 16)));
    expect(bounds.rowsMax()).toBe(6);
  });
});
