/** Charts of a result of `bench peers`. Pure. */
import { BESIDE } from '../peers/contestants.ts';
import type { PeersResult } from '../peers/result.ts';
import { barChart } from './bars.ts';

type Figures = Readonly<Record<string, number | null>>;

/** What a checked-in result needs to hold. */
export type Charted = Pick<PeersResult, 'workload' | 'delivery' | 'records' | 'cpuPerMillion' | 'rate'>;

/** They do not answer as the others do. */
const isBeside = (name: string): boolean => (BESIDE as readonly string[]).includes(name);

const barsOf = (figures: Figures, best: 'least' | 'most') =>
  Object.entries(figures)
    .flatMap(([name, value]) =>
      value === null || isBeside(name) ? [] : [{ name, value, ours: name === 'millrace' }],
    )
    .sort((a, b) => (best === 'least' ? a.value - b.value : b.value - a.value));

/** Text of each chart, by the end of its file's name. Contestants without figures are not in it. */
export const peersCharts = (result: Charted): Readonly<Record<string, string>> => {
  const { workload, delivery, records, cpuPerMillion, rate } = result;
  const what = `${workload}, ${records.toLocaleString('en-US')} records, ${delivery}`;
  return {
    cpu: barChart({
      title: 'CPU seconds per million records',
      note: `${what}; less is better`,
      bars: barsOf(cpuPerMillion, 'least'),
    }),
    rate: barChart({
      title: 'Records per second, one process',
      note: `${what}; more is better`,
      bars: barsOf(rate, 'most'),
    }),
  };
};
