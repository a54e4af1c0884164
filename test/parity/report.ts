import type { ParityResult } from './compare.ts';
import { SCORE_TOLERANCE } from './scores.ts';

/** Terminal columns hang on the order between two stages' inputs; they are counted, and required with replays. */
const REQUIRED = /^(TX_|CUSTOMER_)/;

/** What keeps a run from passing, a sentence each. */
export const differences = (result: ParityResult): readonly string[] => {
  const columns = Object.entries(result.columns).filter(([name]) => REQUIRED.test(name));
  const scores = Object.entries(result.scores ?? {});
  const rowsOfScores = Math.max(0, ...scores.map(([, { rows }]) => rows));
  return [
    ...(result.rows === 0 ? ['no row was compared'] : []),
    ...(result.missing > 0 ? [`${result.missing} events have no vector`] : []),
    ...(result.doubled > 0 ? [`${result.doubled} vectors came again`] : []),
    ...columns
      .filter(([, { mismatches }]) => mismatches > 0)
      .map(([name, { mismatches }]) => `${name} differs in ${mismatches} rows`),
    ...scores
      .filter(([, { rows }]) => rows === 0 || rows < rowsOfScores)
      .map(([name, { rows }]) => `${name} scored ${rows} rows only`),
    ...scores
      .filter(([, { worst }]) => worst > SCORE_TOLERANCE)
      .map(([name, { worst }]) => `scores of ${name} differ by up to ${worst}`),
  ];
};

const line = (name: string, ...cells: readonly string[]): string =>
  [name.padEnd(38), ...cells.map(cell => cell.padStart(12))].join('');

export const reportLines = (result: ParityResult): readonly string[] => [
  line('COLUMN', 'COMPARED', 'MISMATCHES', 'WORST'),
  ...Object.entries(result.columns).map(([name, { compared, mismatches, worst }]) =>
    line(name, String(compared), String(mismatches), worst.toExponential(2)),
  ),
  '',
  line('MODEL', 'ROWS', '', 'WORST'),
  ...Object.entries(result.scores ?? {}).map(([name, { rows, worst }]) =>
    line(name, String(rows), '', worst.toExponential(2)),
  ),
  '',
  `${result.rows} rows; ${result.missing} vectors missing, ${result.doubled} doubled; ${result.seconds.toFixed(1)} s, ` +
    `${result.recordsPerSecond} records/s, ${result.cpuSecondsPerMillion?.toFixed(1) ?? '?'} CPU s per million records.`,
];
