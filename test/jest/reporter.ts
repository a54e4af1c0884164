/** A jest reporter for `pnpm test`: a line per file, failures in full, and the counts in a file for the one summary. */
import { writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { addFile, emptyCounts, type Counts, type FileOutcome } from './counts.ts';

/** What we read of jest's own results. */
interface FileResult {
  readonly testFilePath: string;
  readonly testResults: readonly { readonly status: string; readonly fullName: string }[];
  readonly testExecError?: unknown;
  readonly failureMessage?: string | null;
  readonly perfStats: { readonly start: number; readonly end: number };
}

export default class SummaryReporter {
  private counts: Counts = emptyCounts();

  onTestResult(_test: unknown, result: FileResult): void {
    const outcome: FileOutcome = {
      tests: result.testResults.map(({ status, fullName }) => ({ status, fullName })),
      couldNotRun: result.testExecError !== undefined && result.testExecError !== null,
    };
    this.counts = addFile(this.counts, outcome);
    const seconds = ((result.perfStats.end - result.perfStats.start) / 1000).toFixed(1);
    const path = relative(process.cwd(), result.testFilePath);
    const failed = outcome.couldNotRun || outcome.tests.some(test => test.status === 'failed');
    console.error(`${failed ? 'FAIL' : 'ok  '} ${path} (${outcome.tests.length} tests, ${seconds} s)`);
    if (result.failureMessage) console.error(result.failureMessage);
  }

  onRunComplete(_contexts: unknown, results: { readonly runExecError?: { readonly message: string } }): void {
    if (results.runExecError) {
      console.error(results.runExecError.message);
      this.counts = { ...this.counts, failed: this.counts.failed + 1 };
    }
    const file = process.env['MILLRACE_TEST_REPORT'];
    if (file) writeFileSync(file, JSON.stringify(this.counts));
  }
}
