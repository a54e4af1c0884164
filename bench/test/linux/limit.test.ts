import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { holdToCores } from '../../src/linux/limit.ts';

let groups: string;
beforeEach(() => {
  groups = mkdtempSync(join(tmpdir(), 'millrace-groups-'));
});
afterEach(() => rmSync(groups, { recursive: true }));

const said = (...path: readonly string[]): string => readFileSync(join(groups, ...path), 'utf8');

test('a process is held by control groups of the second version', () => {
  holdToCores(4711, 0.25, groups);
  expect(said('cgroup.subtree_control')).toBe('+cpu');
  expect(said('millrace-bench-4711', 'cpu.max')).toBe('2500 10000');
  expect(said('millrace-bench-4711', 'cgroup.procs')).toBe('4711');
});

test('a process is held by control groups of the first version', () => {
  mkdirSync(join(groups, 'cpu'));
  writeFileSync(join(groups, 'cpu/cpu.cfs_quota_us'), '-1');
  holdToCores(4711, 0.25, groups);
  expect(said('cpu/millrace-bench-4711', 'cpu.cfs_period_us')).toBe('10000');
  expect(said('cpu/millrace-bench-4711', 'cpu.cfs_quota_us')).toBe('2500');
  expect(said('cpu/millrace-bench-4711', 'cgroup.procs')).toBe('4711');
});

test('where nobody can be held, the error names flag and remedy', () => {
  expect(() => holdToCores(4711, 0.25, join(groups, 'missing'))).toThrow(
    /--cores: .*0\.25 cores here \(.+\): run as root/,
  );
});
