import { describe, expect, test } from '@jest/globals';
import { Group } from '../../../src/capacity/simulate/group.ts';

const PAUSES = { sessionMs: 6_000, rebalanceMs: 200, takeoverMs: 700, restoreMsPerPartition: 1_000 };
const counts = (group: Group, nowMs: number): Record<number, number> =>
  Object.fromEntries(
    [...group.working(nowMs)].map(([instance, partitions]) => [instance, partitions.length]),
  );

describe('a group', () => {
  test('begins spread evenly', () => {
    expect(counts(new Group(7, 3, PAUSES), 0)).toEqual({ 0: 3, 1: 2, 2: 2 });
  });

  test('a killed member keeps its partitions until its session ends; then they are taken over, one restored after the other', () => {
    const group = new Group(6, 3, PAUSES);
    group.apply({ atMs: 1_000, instance: 1, what: 'killed' });
    const at = (nowMs: number): Record<number, number> => {
      group.passTo(nowMs);
      return counts(group, nowMs);
    };
    expect(at(1_000)).toEqual({ 0: 2, 2: 2 });
    expect(at(6_999)).toEqual({ 0: 2, 2: 2 });
    expect(at(7_000)).toEqual({});
    expect(at(7_200)).toEqual({ 0: 2, 2: 2 });
    expect(at(8_699)).toEqual({ 0: 2, 2: 2 });
    expect(at(8_700)).toEqual({ 0: 3, 2: 3 });
  });

  test('who comes back before its session ends waits for it', () => {
    const group = new Group(6, 2, PAUSES);
    group.apply({ atMs: 0, instance: 1, what: 'killed' });
    group.apply({ atMs: 1_000, instance: 1, what: 'started' });
    group.passTo(5_999);
    expect(counts(group, 5_999)).toEqual({ 0: 3 });
    group.passTo(6_000);
    expect(counts(group, 60_000)).toEqual({ 0: 3, 1: 3 });
  });

  test('who stops in order is followed at once', () => {
    const group = new Group(4, 2, PAUSES);
    group.apply({ atMs: 500, instance: 0, what: 'stopped' });
    group.passTo(500);
    expect(counts(group, 700)).toEqual({ 1: 2 });
    expect(counts(group, 500 + 700 + 2_000)).toEqual({ 1: 4 });
  });

  test('with nobody left nobody works, until somebody comes', () => {
    const group = new Group(2, 1, PAUSES);
    group.apply({ atMs: 0, instance: 0, what: 'killed' });
    group.passTo(6_000);
    expect(counts(group, 1e9)).toEqual({});
    group.apply({ atMs: 7_000, instance: 4, what: 'started' });
    group.passTo(7_000);
    expect(counts(group, 1e9)).toEqual({ 4: 2 });
  });
});
