import { expect, test } from '@jest/globals';
import { addFile, emptyCounts, summary } from './jest/counts.ts';
import { markSkipped } from './jest/skipReason.ts';

const file = (statuses: readonly string[], name = 'a test') => ({
  tests: statuses.map(status => ({ status, fullName: name })),
  couldNotRun: false,
});

test('the last line is the plain sum, before it the skips with their reasons', () => {
  const unit = addFile(emptyCounts(), file(['passed', 'passed', 'failed']));
  const stack = addFile(addFile(emptyCounts(), file(['passed'])), {
    ...file(['pending', 'pending'], markSkipped('reads', 'no Java')),
  });
  const lines = summary({ unit, stack }).split('\n');
  expect(lines.at(-1)).toBe('3 passed, 1 failed, 2 skipped');
  expect(lines).toContain('  2 skipped: no Java');
});

test('a file that could not run is a failure', () => {
  expect(addFile(emptyCounts(), { tests: [], couldNotRun: true })).toMatchObject({ files: 1, failed: 1 });
});

test('a skip without a reason is told as such', () => {
  expect(addFile(emptyCounts(), file(['todo'])).skipped).toEqual({ 'no reason given': 1 });
});
