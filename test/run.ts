/**
 * `pnpm test`: types, lint and format, then the tests that need Node only, then those on a real stack, then one summary.
 * `--unit` leaves out the last kind. Exit code 1 when anything failed, and, with CI=true, when a test was skipped that may
 * not be (`jest/ciSkips.ts`), such as all that need a stack where there is none.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { forbiddenSkips } from './jest/ciSkips.ts';
import { addCounts, type Counts, emptyCounts, summary } from './jest/counts.ts';

const ROOT = join(import.meta.dirname, '..');
const NODE_MAJOR_MIN = 24;
/** The teardown of the stack runs after the report: it may write class-data archives, for 40 s at most, and removes its folder. */
const LINGER_S_MAX = 120;
const CHECKS = ['typecheck', 'lint', 'format:check'];
const JEST = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  join(ROOT, 'node_modules/jest/bin/jest.js'),
  '--reporters',
  join(ROOT, 'test/jest/reporter.ts'),
];

/** One check is one test of the summary. */
async function runChecks(): Promise<Counts> {
  let passed = 0;
  for (const check of CHECKS) {
    const status = await run(join(ROOT, 'node_modules/.bin/turbo'), ['run', check, '--output-logs=new-only']);
    if (status === 0) passed += 1;
    else console.error(`FAIL ${check}`);
  }
  return { ...emptyCounts(), passed, failed: CHECKS.length - passed };
}

async function runJest(project: string, args: readonly string[]): Promise<Counts> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-report-'));
  const report = join(folder, 'counts.json');
  try {
    const status = await run(process.execPath, [...JEST, '--selectProjects', project, ...args], report);
    // Without a report, jest itself has failed, such as in starting the stack.
    if (!existsSync(report)) return { ...emptyCounts(), failed: 1 };
    const found = JSON.parse(readFileSync(report, 'utf8')) as Counts;
    const hidden = status !== 0 && found.failed === 0;
    return hidden ? { ...found, failed: 1 } : found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Resolves with the exit code. Ends a program that has reported and yet does not end: a test left something running. */
function run(command: string, args: readonly string[], report?: string): Promise<number | null> {
  const child = spawn(command, args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: {
      ...process.env,
      TURBO_TELEMETRY_DISABLED: '1',
      ...(report ? { MILLRACE_TEST_REPORT: report } : {}),
    },
  });
  let reportedForS = 0;
  const watch = setInterval(() => {
    if (report === undefined || !existsSync(report)) return;
    reportedForS += 1;
    if (reportedForS !== LINGER_S_MAX) return;
    console.error(
      `FAIL jest does not end ${LINGER_S_MAX} s after its last test: a test left something running`,
    );
    child.kill('SIGKILL');
  }, 1000);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', code => resolve(code));
  }).finally(() => clearInterval(watch)) as Promise<number | null>;
}

requireNode();
const suites: Record<string, Counts> = { checks: await runChecks() };
suites['unit'] = await runJest('unit', ['--maxWorkers=100%']);
// One worker: the tests share one stack, and two cores are soon taken.
if (!process.argv.includes('--unit')) suites['stack'] = await runJest('stack', ['--runInBand']);
const total = Object.values(suites).reduce(addCounts, emptyCounts());
const forbidden = process.env['CI'] === 'true' ? forbiddenSkips(total.skipped) : [];
for (const skip of forbidden) console.error(`FAIL with CI=true these must run: ${skip}`);
console.log(summary(suites));
process.exitCode = forbidden.length > 0 || total.failed > 0 ? 1 : 0;

/** The sources are TypeScript that only a newer Node reads; `pnpm` brings it. */
function requireNode(): void {
  const major = Number.parseInt(process.versions.node, 10);
  if (major >= NODE_MAJOR_MIN) return;
  console.error(
    `Node ${NODE_MAJOR_MIN} is needed, this is ${process.versions.node}: run npx --yes pnpm@12 test`,
  );
  process.exit(1);
}
