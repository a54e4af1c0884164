import type { PredictionValue } from '@millrace/contracts';
import { table } from '../io.ts';
import { type Account, difference } from './account.ts';

/** The demo's result; what `--output json` prints. */
export interface DemoResult extends Account {
  readonly pipeline: string;
  readonly stack: 'external' | 'containers' | 'jvm' | 'memory';
  readonly rows: number;
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number };
  readonly recordsPerSecond: number;
}

export interface SummaryExtras {
  readonly labels: number;
  readonly decisions: Readonly<Record<string, number>>;
  readonly risky: readonly PredictionValue[];
  readonly seconds: number;
  /** How to look at the rows, and where logs are. */
  readonly hints: readonly string[];
}

const whole = (n: number): string => n.toLocaleString('en-US');

const riskyLines = (risky: readonly PredictionValue[]): string[] =>
  table(
    ['SCORE', 'DECISION', 'AMOUNT', 'EVENT', 'MODEL', 'SOURCE', 'PREDICTION'],
    risky.map(p => [
      Object.values(p.outputs)[0]!.toFixed(3),
      p.decision,
      (p.features['amount'] ?? Number.NaN).toFixed(2),
      p.eventId,
      `${p.model}@${p.modelVersion} ${p.modelDigest.slice(0, 8)}`,
      `${p.sourceTopic}/${p.sourcePartition}/${p.sourceOffset}`,
      p.predictionId,
    ]),
  );

/** What a person reads at the end. */
export const summaryLines = (result: DemoResult, extras: SummaryExtras): string[] => {
  const { latencyMs: ms } = result;
  const open = difference(result);
  const equation = `${whole(result.in)} in = ${whole(result.scored)} scored + ${whole(result.fallback)} fallback + ${whole(result.deferred)} deferred + ${whole(result.deadLetters)} dead letters + ${whole(result.skipped)} skipped`;
  return [
    '',
    `Millrace scored a stream of ${whole(result.in)} ${result.pipeline} events in ${extras.seconds.toFixed(1)} s.`,
    '',
    `  every input answered once   ${equation}${open === 0 ? '  (adds up)' : `  (${whole(open)} UNANSWERED)`}`,
    `  doubled                     ${whole(result.doubled)}`,
    `  rows in PostgreSQL          ${whole(result.rows)}`,
    `  decisions                   ${Object.entries(extras.decisions)
      .map(([name, n]) => `${name} ${whole(n)}`)
      .join(', ')}`,
    `  labels folded               ${whole(extras.labels)}`,
    `  event to visible score      p50 ${ms.p50} ms, p95 ${ms.p95} ms, p99 ${ms.p99} ms`,
    `  throughput                  ${whole(result.recordsPerSecond)} records/s, as fast as the demo sent them`,
    '',
    'Top risky payments, each with where it came from and what scored it:',
    '',
    ...riskyLines(extras.risky).map(line => `  ${line}`),
    '',
    ...extras.hints,
  ];
};

/** Exactly the agreed fields, in order. */
export const resultJson = (r: DemoResult): string => {
  const { pipeline, stack, in: input, scored, fallback, deferred, deadLetters, skipped, doubled, rows, latencyMs, recordsPerSecond } = r;
  return JSON.stringify({ pipeline, stack, in: input, scored, fallback, deferred, deadLetters, skipped, doubled, rows, latencyMs, recordsPerSecond });
}; // prettier-ignore
