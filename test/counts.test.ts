import { describe, expect, test } from '@jest/globals';
import { forbiddenSkips } from './jest/ciSkips.ts';
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

describe('where everything is to run', () => {
  const skippedFor = (reason: string) =>
    forbiddenSkips(addFile(emptyCounts(), file(['passed', 'pending'], markSkipped('reads', reason))).skipped);

  test.each([
    'python3 cannot be started: ENOENT',
    'pip install failed: No matching distribution found for pandas',
    'no Java: java does not run; no container engine: no socket of one found',
    'openssl is not installed',
    'KAFKA_BOOTSTRAP_SERVERS is not set; no Java: java does not run; no ../shared/data/fraud',
  ])('a skip is a failure: %s', reason => {
    expect(skippedFor(reason)).toEqual([`1 skipped: ${reason}`]);
  });

  test('so is one that says nothing, such as of a test beside which another is to run alone', () => {
    expect(forbiddenSkips(addFile(emptyCounts(), file(['pending', 'todo'])).skipped)).toEqual([
      '2 skipped: no reason given',
    ]);
  });

  test.each([
    'no published data beside the repository',
    'no ../shared/data/fraud',
    'no promtool: put it on the PATH, or name its folder in MILLRACE_PROMETHEUS',
    'there is no /dev/full here',
    'no /proc that lists the children of a process',
    'a stack that is not ours is not cut off',
  ])('a skip that no machine can help is none: %s', reason => {
    expect(skippedFor(reason)).toEqual([]);
  });
});
