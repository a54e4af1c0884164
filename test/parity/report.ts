import { type ParityResult, type ReferenceResult, SCORE_TOLERANCE, type ScoreResult } from './compare.ts';
import { datasetDifferences, datasetLines } from './dataset/report.ts';

/** Live, terminal columns hang on the order in which two stages' inputs arrived: they are counted, and not required. */
const REQUIRED = { replay: /./, live: /^(TX_|CUSTOMER_)/ } as const;

const isReference = (score: ScoreResult | ReferenceResult): score is ReferenceResult => 'missing' in score;
/** The comparison that every model has: with itself, run offline. */
const offlineOf = (score: ScoreResult | ReferenceResult): ScoreResult =>
  isReference(score) ? (score.offline ?? score) : score;

/** Published figures and our own recomputation must name as many rows, and the metrics the same as both. */
const skewed = ({ skew, why }: ParityResult): readonly string[] =>
  skew === null
    ? []
    : [
        ...(why !== null && skew.vectors.differing !== why.rows
          ? [`features verify finds ${skew.vectors.differing} vectors that differ, where ${why.rows} do`]
          : []),
        ...(skew.vectors.missing + skew.vectors.extra > 0
          ? [
              `features verify misses ${skew.vectors.missing} vectors, and finds ${skew.vectors.extra} too many`,
            ]
          : []),
        ...skew.metricsDiffering.map(line => `the metrics of features verify do not say: ${line}`),
      ];

/** What keeps a run from passing, a sentence each. */
export const differences = (result: ParityResult): readonly string[] => {
  const columns = Object.entries(result.columns).filter(([name]) => REQUIRED[result.epochs].test(name));
  const all = Object.entries(result.scores ?? {});
  const scores = all.map(([name, score]) => [name, offlineOf(score)] as const);
  const referenced = all.flatMap(([name, score]) => (isReference(score) ? [[name, score] as const] : []));
  const rowsOfScores = Math.max(0, ...scores.map(([, { rows }]) => rows));
  return [
    ...(result.rows === 0 ? ['no row was compared'] : []),
    ...(result.missing > 0 ? [`${result.missing} events have no vector`] : []),
    ...(result.doubled > 0 ? [`${result.doubled} vectors came again`] : []),
    ...((result.why?.unexplained ?? 0) > 0
      ? [`${result.why!.unexplained} rows differ without a cause in their epochs`]
      : []),
    ...((result.again?.differing ?? 0) > 0 || result.again?.rows === 0
      ? [`${result.again!.differing} of ${result.again!.rows} vectors differ when they are run again`]
      : []),
    ...skewed(result),
    ...(result.dataset === null ? [] : datasetDifferences(result.dataset)),
    ...columns
      .filter(([, { mismatches }]) => mismatches > 0)
      .map(([name, { mismatches }]) => `${name} differs in ${mismatches} rows`),
    ...scores
      .filter(([, { rows }]) => rows === 0 || rows < rowsOfScores)
      .map(([name, { rows }]) => `${name} scored ${rows} rows only`),
    ...scores
      .filter(([, { worst }]) => worst > SCORE_TOLERANCE)
      .map(([name, { worst }]) => `scores of ${name} differ by up to ${worst}`),
    ...referenced
      .filter(([, { missing }]) => missing > 0)
      .map(([name, { missing }]) => `${missing} rows of the reference have no score by ${name}`),
    ...referenced
      .filter(([, { worst }]) => worst > SCORE_TOLERANCE)
      .map(([name, { worst }]) => `scores of ${name} differ from the reference by up to ${worst}`),
  ];
};

const line = (name: string, ...cells: readonly string[]): string =>
  [name.padEnd(38), ...cells.map(cell => cell.padStart(12))].join('');

const qualityCells = (score: ScoreResult | ReferenceResult): readonly string[] =>
  isReference(score)
    ? [score.auc, score.averagePrecision, score.cardPrecisionAt100].map(figure => figure?.toFixed(4) ?? '-')
    : [];

const liveLines = ({ why, latencyMs, again }: ParityResult): readonly string[] => [
  ...(why === null
    ? []
    : [
        `${why.rows} rows differ in some column; ${why.overtaken} vectors were cut before an event that stands before them.`,
        ...Object.entries(why.causes).map(([cause, rows]) => `  ${rows} because ${cause}`),
        ...(why.unexplained > 0 ? [`  ${why.unexplained} for no known cause`] : []),
      ]),
  ...(latencyMs === null
    ? []
    : [`From payment to vector: p50 ${latencyMs.p50} ms, p95 ${latencyMs.p95} ms, p99 ${latencyMs.p99} ms.`]),
  ...(again === null
    ? []
    : [
        `Run again with recorded epochs: ${again.rows} vectors, ${again.differing} differ in some bit or place.`,
      ]),
];

const skewLines = ({ skew }: ParityResult): readonly string[] =>
  skew === null
    ? []
    : [
        `By features verify and its metrics: ${skew.vectors.matched} vectors match, ${skew.vectors.differing} differ, ` +
          `${skew.vectors.missing} are missing; ${skew.late} late, ${skew.stale} stale.`,
        ...Object.entries(skew.features).map(([name, count]) => `  ${name}: ${count} values`),
      ];

const memoryLines = ({ memory }: ParityResult): readonly string[] =>
  memory === null
    ? []
    : [
        `Memory of the larger feature process: ${memory.mbMax} MB at most; ` +
          memory.curve.map(({ seconds, mb }) => `${seconds} s ${mb}`).join(', ') +
          (memory.diskMb === null ? '' : `; state on disk: ${memory.diskMb} MB`),
      ];

export const reportLines = (result: ParityResult): readonly string[] => [
  line('COLUMN', 'COMPARED', 'MISMATCHES', 'WORST'),
  ...Object.entries(result.columns).map(([name, { compared, mismatches, worst }]) =>
    line(name, String(compared), String(mismatches), worst.toExponential(2)),
  ),
  '',
  line('MODEL', 'ROWS', '', 'WORST', 'AUC', 'AVG PREC.', 'CARD@100'),
  ...Object.entries(result.scores ?? {}).map(([name, score]) =>
    line(name, String(score.rows), '', score.worst.toExponential(2), ...qualityCells(score)),
  ),
  '',
  `${result.rows} rows; ${result.missing} vectors missing, ${result.doubled} doubled; ${result.seconds.toFixed(1)} s, ` +
    `${result.recordsPerSecond} records/s, ${result.cpuSecondsPerMillion?.toFixed(1) ?? '?'} CPU s per million records.`,
  ...liveLines(result),
  ...skewLines(result),
  ...(result.dataset === null ? [] : datasetLines(result.dataset)),
  ...memoryLines(result),
  `Epochs: ${result.epochs}. ${result.duplicates} records came twice on purpose, ${result.kills} feature processes were killed.`,
];
