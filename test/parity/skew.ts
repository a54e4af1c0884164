/** What `millrace features verify` says of the vectors of a run, and whether the metrics that it writes say the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyFeatures, type VerifyReport } from '@millrace/cli';
import { fraud } from '@millrace/pipelines';
import { TOLERANCE } from './compare.ts';
import type { ParityOptions } from './run.ts';

export interface Skew {
  /** Vectors by outcome, as the report has them. */
  readonly vectors: VerifyReport['vectors'];
  /** Values that differ, are missing or are too many, of features that have any. */
  readonly features: Readonly<Record<string, number>>;
  /** Vectors that were scored though late, or on features that were stale. */
  readonly late: number;
  readonly stale: number;
  /** Lines of the metrics file that say something else than the report. */
  readonly metricsDiffering: readonly string[];
}

/** The figures of a report as the lines that a metrics file must have. */
export const linesOf = ({ pipeline, featureSet, vectors, features }: VerifyReport): readonly string[] => {
  const of = `pipeline="${pipeline}",set="${featureSet}"`;
  return [
    ...Object.entries(vectors).map(
      ([outcome, count]) => `millrace_skew_vectors{${of},outcome="${outcome}"} ${count}`,
    ),
    ...features.flatMap(({ name, mismatch, missing, extra }) =>
      Object.entries({ mismatch, missing, extra }).map(
        ([kind, count]) => `millrace_skew_values{${of},feature="${name}",kind="${kind}"} ${count}`,
      ),
    ),
  ];
};

/** Every entity, all events that are there. */
export const skewOf = async ({
  world,
  directory,
  environment,
  signal,
  say,
}: ParityOptions): Promise<Skew> => {
  const metricsFile = join(directory, 'skew.prom');
  let printed = '';
  const io = {
    out: (line: string) => void (printed = line),
    say, rewrite: () => undefined, stdin: process.stdin, environment, signal, interactive: false,
  }; // prettier-ignore
  await verifyFeatures(io, world, fraud, {
    set: undefined, from: undefined, to: undefined, sample: '1', tolerance: TOLERANCE, top: 1, html: undefined, metricsFile, output: 'json',
  }); // prettier-ignore
  const report = JSON.parse(printed) as VerifyReport;
  const written = new Set(readFileSync(metricsFile, 'utf8').split('\n'));
  return {
    vectors: report.vectors,
    features: Object.fromEntries(
      report.features
        .map(({ name, mismatch, missing, extra }) => [name, mismatch + missing + extra] as const)
        .filter(([, count]) => count > 0),
    ),
    late: report.late,
    stale: report.stale,
    metricsDiffering: linesOf(report).filter(line => !written.has(line)),
  };
};
