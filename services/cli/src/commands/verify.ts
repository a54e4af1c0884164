/** `millrace features verify`: what was served against what the events give; exit code 3 where they differ. */
import { writeFileSync } from 'node:fs';
import type { Pipeline } from '@millrace/define';
import type { Metrics } from '@millrace/telemetry';
import { setOf } from '../features/sets.ts';
import { timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import { writeMetricsFile } from '../textfile.ts';
import { difference, share } from '../reconcile/words.ts';
import { KINDS, OUTCOMES } from '../verify/compare.ts';
import { htmlReport } from '../verify/html.ts';
import { type Report, reportOf } from '../verify/report.ts';
import { sampleOf } from '../verify/sample.ts';
import { SampleTooLarge } from '../verify/served.ts';
import { verify } from '../verify/verify.ts';
import { MEANINGS, shownValue, verdict } from '../verify/words.ts';
import type { World } from '../world/prepare.ts';
import { TOP_MAX } from './reconcile.ts';

export interface VerifyFlags {
  /** Version of the feature set; undefined: the one that the definition names first. */
  readonly set: number | undefined;
  /** Inclusive days of event time, YYYY-MM-DD in UTC; undefined: all there is. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly sample: string;
  readonly tolerance: number;
  readonly top: number;
  /** Files to write. */
  readonly html: string | undefined;
  readonly metricsFile: string | undefined;
  readonly output: OutputForm;
}

const DAY_MS = 86_400_000;
/** Beyond what a person reads in a table; the page and JSON have all. */
const FEATURES_SHOWN = 3;

const print = (io: Io, report: Report): void => {
  const { vectors, features, examples } = report;
  io.out(verdict(report));
  io.out('');
  const all = OUTCOMES.reduce((sum, outcome) => sum + vectors[outcome], 0);
  const counted = OUTCOMES.map(outcome => [outcome, vectors[outcome], share(vectors[outcome], all), MEANINGS[outcome]] as const);
  for (const line of table(['VECTORS', 'COUNT', 'SHARE', 'MEANING'], counted)) io.out(line);
  io.out('');
  const values = features.map(one => [one.name, one.view === '' ? 'input' : one.view, ...KINDS.map(kind => one[kind]), difference(one.largestDifference)]);
  for (const line of table(['FEATURE', 'VIEW', 'MISMATCH', 'MISSING', 'EXTRA', 'LARGEST DIFFERENCE'], values)) io.out(line);
  const shown = [...examples.differing, ...examples.missing, ...examples.extra].map(one => [
    one.entity, one.eventId, one.eventTime, one.words,
    one.features.slice(0, FEATURES_SHOWN).map(({ name, served, recomputed }) => `${name} ${shownValue(served)} instead of ${shownValue(recomputed)}`).join(', '),
  ]);
  if (shown.length === 0) return;
  io.out('');
  for (const line of table(['ENTITY', 'EVENT', 'EVENT TIME', 'LIKELY CAUSE', 'SERVED INSTEAD OF RECOMPUTED'], shown)) io.out(line);
}; // prettier-ignore

const measure = (metrics: Metrics, report: Report): void => {
  const of = { pipeline: report.pipeline, set: String(report.featureSet) };
  for (const outcome of OUTCOMES)
    metrics.set('millrace_skew_vectors', { ...of, outcome }, report.vectors[outcome]);
  for (const one of report.features) {
    for (const kind of KINDS)
      metrics.set('millrace_skew_values', { ...of, feature: one.name, kind }, one[kind]);
    metrics.set('millrace_skew_largest_difference', { ...of, feature: one.name }, one.largestDifference);
  }
  metrics.set('millrace_skew_agrees', of, Number(report.agrees));
  metrics.set('millrace_skew_timestamp_seconds', of, Date.parse(report.at) / 1000);
};

export const verifyFeatures = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  flags: VerifyFlags,
): Promise<ExitCode> => {
  const { tolerance, top, html, metricsFile, output } = flags;
  if (top < 1 || top > TOP_MAX) throw new UsageError(`--top: ${top} is not between 1 and ${TOP_MAX}`);
  const set = flags.set ?? pipeline.features.version;
  setOf(pipeline, set);
  const toMs = timeOf('to', flags.to);
  const asked = {
    pipeline,
    set,
    fromMs: timeOf('from', flags.from) ?? Number.NEGATIVE_INFINITY,
    untilMs: toMs === undefined ? Number.POSITIVE_INFINITY : toMs + DAY_MS,
    sample: sampleOf(flags.sample),
  };
  try {
    const verified = await verify(world, { asked, tolerance, top, progressed: line => io.say(`  ${line}`) });
    const report = reportOf(verified, tolerance, world.clock.now());
    if (html !== undefined) writeFileSync(html, htmlReport(report));
    if (metricsFile !== undefined) await writeMetricsFile(metricsFile, metrics => measure(metrics, report));
    if (output === 'json') io.out(JSON.stringify(report));
    else print(io, report);
    return report.agrees ? EXIT.done : EXIT.differences;
  } catch (error) {
    if (!(error instanceof SampleTooLarge)) throw error;
    io.say(`refused: ${error.message}; ask for fewer days with --from and --to, or for a smaller --sample`);
    return EXIT.failed;
  }
};
