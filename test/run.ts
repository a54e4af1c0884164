/**
 * `pnpm test`: types, lint and format, then the tests that need Node only, then those on a real stack, then one summary.
 * `--unit` leaves out the last kind. Exit code 1 when anything failed, and, with CI=true, when there was no stack.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Counts, emptyCounts, skippedOf, summary } from './jest/counts.ts';

const ROOT = join(import.meta.dirname, '..');
const CHECKS = ['typecheck', 'lint', 'format:check'];
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(ROOT, 'node_modules/jest/bin/jest.js'),
  '--reporters',
  join(ROOT, 'test/jest/reporter.ts'),
];

/** One check is one test of the summary. */
function runChecks(): Counts {
  const results = CHECKS.map(check => {
    const { status } = run(join(ROOT, 'node_modules/.bin/turbo'), [
      'run',
      check,
      '--output-logs=new-only',
      '--log-order=grouped',
    ]);
    if (status !== 0) console.error(`FAIL ${check}`);
    return status === 0;
  });
  const passed = results.filter(Boolean).length;
  return { ...emptyCounts(), passed, failed: results.length - passed };
}

function runJest(project: string, args: readonly string[]): Counts {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'));
  const report = join(folder, 'counts.json');
  try {
    const { status } = run(process.execPath, [...JEST, '--selectProjects', project, ...args], {
      MILLRACE_TEST_REPORT: report,
    });
    // Without a report, jest itself has failed, such as in starting the stack.
    if (!existsSync(report)) return { ...emptyCounts(), failed: 1 };
    const counts = JSON.parse(readFileSync(report, 'utf8')) as Counts;
    return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(
  command: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): { status: number | null } {
  return spawnSync(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', ...more },
  });
}

const suites: Record<string, Counts> = { checks: runChecks(), unit: runJest('unit', []) };
// One worker: the tests share one stack, and two cores are soon taken.
if (!process.argv.includes('--unit')) suites['stack'] = runJest('stack', ['--runInBand']);

console.log(summary(suites));
const failed = Object.values(suites).some(counts => counts.failed > 0);
const stackless = process.env['CI'] === 'true' && suites['stack'] && hasNoStack(suites['stack']);
process.exitCode = failed || stackless ? 1 : 0;

function hasNoStack(stack: Counts): boolean {
  return stack.passed === 0 && skippedOf(stack) > 0;
}
