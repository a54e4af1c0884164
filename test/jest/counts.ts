import { skipReason } from './skipReason.ts';

/** What one run of jest leaves in a file. */
export interface Counts {
  readonly files: number;
  readonly passed: number;
  readonly failed: number;
  /** Skipped tests by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

export interface FileOutcome {
  readonly tests: readonly { readonly status: string; readonly fullName: string }[];
  /** The file failed before any of its tests: that is one failure. */
  readonly couldNotRun: boolean;
}

export function emptyCounts(): Counts {
  return { files: 0, passed: 0, failed: 0, skipped: {} };
}

/** Whatever has neither passed nor failed was skipped. */
export function addFile(counts: Counts, { tests, couldNotRun }: FileOutcome): Counts {
  const skipped = { ...counts.skipped };
  for (const { status, fullName } of tests) {
    if (status === 'passed' || status === 'failed') continue;
    const reason = skipReason(fullName);
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  const failed = tests.filter(test => test.status === 'failed').length;
  return {
    files: counts.files + 1,
    passed: counts.passed + tests.filter(test => test.status === 'passed').length,
    failed: counts.failed + failed + (couldNotRun && failed === 0 ? 1 : 0),
    skipped,
  };
}

export function addCounts(a: Counts, b: Counts): Counts {
  const skipped = { ...a.skipped };
  for (const [reason, count] of Object.entries(b.skipped)) skipped[reason] = (skipped[reason] ?? 0) + count;
  return {
    files: a.files + b.files,
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped,
  };
}

export function skippedOf(counts: Counts): number {
  return Object.values(counts.skipped).reduce((sum, count) => sum + count, 0);
}

/** The closing summary: suites, skips with their reasons, and as its last line the plain counts. */
export function summary(suites: Readonly<Record<string, Counts>>): string {
  const total = Object.values(suites).reduce(addCounts, emptyCounts());
  const rows = Object.entries(suites).map(
    ([name, counts]) =>
      `  ${name.padEnd(8)} ${counts.passed} passed, ${counts.failed} failed, ${skippedOf(counts)} skipped`,
  );
  const skips = Object.entries(total.skipped).map(([reason, count]) => `  ${count} skipped: ${reason}`);
  const counts = `${total.passed} passed, ${total.failed} failed, ${skippedOf(total)} skipped`;
  return ['', 'Tests', ...rows, ...skips, '', counts].join('\n');
}
