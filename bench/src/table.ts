import { ratio, type Summed } from './figures.ts';

const LABELS: Readonly<Record<string, string>> = {
  recordsPerSecond: 'records/s',
  cpuSecondsPerMillion: 'CPU s per million records',
  brokerCpuSecondsPerMillion: 'broker CPU s per million records',
  cores: 'cores busy',
  rssMaxMb: 'RSS at most, MB',
  anonymousMb: 'anonymous memory, MB',
  p50: 'p50, ms',
  p95: 'p95, ms',
  p99: 'p99, ms',
  p999: 'p99.9, ms',
  max: 'largest, ms',
  nightPerSecond: 'vectors/s of the night',
  nightCores: 'cores of the night',
  vectorP50: 'p50 until the vector, ms',
  vectorP99: 'p99 until the vector, ms',
  ...Object.fromEntries(
    ['feature', 'inference', 'sink', 'postgres', 'broker'].flatMap(name => [
      [`${name}CpuPerMillion`, `CPU s per million, ${name}`],
      [`${name}Cores`, `cores, ${name}`],
      [`${name}AnonymousMb`, `anonymous memory, MB, ${name}`],
      [`${name}RssMaxMb`, `RSS at most, MB, ${name}`],
    ]),
  ),
};
const WIDTHS = [34, 14, 14, 10] as const;

const line = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(WIDTHS[0]) : cell.padStart(WIDTHS[i]!))).join('');

const trustOf = (name: string, { rounds, rejected, trusted }: Summed<string>): string =>
  trusted
    ? `${name}: ${rounds} rounds, ${rejected} rejected as disturbed`
    : `${name}: all ${rounds} rounds were disturbed; compare the ratios only, and run again on a quiet machine`;

/** Both contestants side by side, with the ratios, as lines. */
export const table = <F extends string>(
  ours: Summed<F>,
  against: string,
  theirs: Summed<F>,
  name = 'millrace',
): readonly string[] => [
  line(['median of the rounds', name, against, 'ratio']),
  ...(Object.keys(ours.medians) as F[]).map(figure => {
    const [mine, other] = [ours.medians[figure], theirs.medians[figure]];
    // What only one of them does has no ratio.
    const times = other === 0 ? '' : String(ratio(mine, other));
    return line([LABELS[figure] ?? figure, String(mine), String(other), times]);
  }),
  trustOf(name, ours),
  trustOf(against, theirs),
];

/** One contestant, as lines. */
export const alone = <F extends string>(ours: Summed<F>, name = 'millrace'): readonly string[] => [
  line(['median of the rounds', name]),
  ...(Object.keys(ours.medians) as F[]).map(figure =>
    line([LABELS[figure] ?? figure, String(ours.medians[figure])]),
  ),
  trustOf(name, ours),
];
