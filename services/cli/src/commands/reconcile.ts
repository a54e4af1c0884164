/** `millrace reconcile`: two runs, or a run and the stream, answer by answer; a report to sign; exit code 3 where they differ. */
import { LIVE } from '@millrace/contracts';
import { writeFileSync } from 'node:fs';
import type { Pipeline } from '@millrace/define';
import type { Metrics } from '@millrace/telemetry';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import { htmlReport } from '../reconcile/html.ts';
import { writeMetricsFile } from '../textfile.ts';
import { OUTCOMES } from '../reconcile/judge.ts';
import { reconcile } from '../reconcile/reconcile.ts';
import { nameOf, type Report, reportOf, type ShownAnswer } from '../reconcile/report.ts';
import { ReconcileRefused } from '../reconcile/sides.ts';
import { difference, meaningOf, share, soundness, verdict } from '../reconcile/words.ts';
import type { World } from '../world/prepare.ts';

export interface ReconcileFlags {
  readonly run: string;
  /** Id of another run, or `live`. */
  readonly against: string;
  readonly tolerance: number;
  readonly top: number;
  /** Files to write. */
  readonly html: string | undefined;
  readonly metricsFile: string | undefined;
  readonly output: OutputForm;
}

/** Float32 scores of one model: the engine may give another last digit with another batch. */
export const TOLERANCE_DEFAULT = 1e-6;
export const TOP_MAX = 1_000;

const scoreOf = (answer: ShownAnswer | null): string =>
  answer === null ? '-' : Object.values(answer.outputs).map(value => value.toFixed(6)).join(' '); // prettier-ignore

const print = (io: Io, report: Report): void => {
  io.out(verdict(report));
  for (const line of soundness(report)) io.out(line);
  io.out('');
  const counted = OUTCOMES.map(outcome => [outcome, report.outcomes[outcome], share(report.outcomes[outcome], report.compared), meaningOf(report, outcome)] as const);
  for (const line of table(['OUTCOME', 'COUNT', 'SHARE', 'MEANING'], counted)) io.out(line);
  const { differing, missing, extra } = report.examples;
  const rows = [...differing, ...missing, ...extra].map(one => [
    one.entity, one.run && one.against ? difference(one.difference) : '-', scoreOf(one.run), scoreOf(one.against),
    one.causes.map(({ words, detail }) => (detail === '' ? words : `${words} (${detail})`)).join('; '),
  ]);
  if (rows.length === 0) return;
  io.out('');
  for (const line of table(['ENTITY', 'DIFFERENCE', nameOf(report.run), nameOf(report.against), 'CAUSE'], rows)) io.out(line);
}; // prettier-ignore

const measure = (metrics: Metrics, report: Report): void => {
  const { pipeline, outcomes, largestDifference, at } = report;
  for (const outcome of OUTCOMES)
    metrics.set('millrace_reconcile_units', { pipeline, outcome }, outcomes[outcome]);
  metrics.set('millrace_reconcile_agrees', { pipeline }, Number(report.agrees));
  metrics.set('millrace_reconcile_largest_difference', { pipeline }, largestDifference ?? Number.POSITIVE_INFINITY); // prettier-ignore
  metrics.set('millrace_reconcile_timestamp_seconds', { pipeline }, Date.parse(at) / 1000);
};

export const reconcileRuns = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  flags: ReconcileFlags,
): Promise<ExitCode> => {
  const { run, against, tolerance, top, html, metricsFile, output } = flags;
  if (run === against)
    throw new UsageError(`--run and --against are both ${run}: there is nothing to compare`);
  if (run === LIVE) throw new UsageError('--run is a run that is checked: say --against live for the stream');
  if (top < 1 || top > TOP_MAX) throw new UsageError(`--top: ${top} is not between 1 and ${TOP_MAX}`);
  try {
    const reconciled = await reconcile(world, {
      pipeline,
      ids: { run, against },
      tolerance,
      top,
      progressed: (partition, of) => io.say(`  partition ${partition} of ${of}`),
      signal: io.signal,
    });
    const report = await reportOf(world, reconciled, tolerance);
    if (html !== undefined) writeFileSync(html, htmlReport(report));
    if (metricsFile !== undefined) await writeMetricsFile(metricsFile, metrics => measure(metrics, report));
    if (output === 'json') io.out(JSON.stringify(report));
    else print(io, report);
    return report.agrees ? EXIT.done : EXIT.differences;
  } catch (error) {
    if (!(error instanceof ReconcileRefused)) throw error;
    io.say(`refused: ${error.message}`);
    return EXIT.failed;
  }
};
