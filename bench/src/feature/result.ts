/** What a run of `bench feature` comes to: a table to read, and one object. Pure. */
import { ratio, type Summed, summed } from '../figures.ts';
import { type JudgedBy, judgedBy } from '../peers/judge.ts';
import { alone, table } from '../table.ts';
import { areRight, type FeatureOptions, type FeatureRound, type Measured } from './bench.ts';
import type { FolderName } from './contestants.ts';

const FIGURES = [
  'recordsPerSecond', 'cpuSecondsPerMillion', 'brokerCpuSecondsPerMillion', 'cores', 'rssMaxMb', 'anonymousMb',
] as const; // prettier-ignore
type Figures = Summed<(typeof FIGURES)[number]>;

export interface FeatureResult extends JudgedBy {
  readonly bench: 'feature';
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  /** By contestant that was measured. */
  readonly contestants: Readonly<Partial<Record<FolderName, Figures>>>;
  /** Millrace's CPU over each other's. */
  readonly cpuRatios: Readonly<Partial<Record<FolderName, number>>>;
  readonly correct: boolean;
  readonly judgedBy: string;
  /** Asked for, and not measured to the end. */
  readonly failed: readonly string[];
  readonly left: Readonly<Record<string, string>>;
  readonly rounds: readonly FeatureRound[];
}

export const featureResult = (
  { settings, records, folders }: Pick<FeatureOptions, 'settings' | 'records' | 'folders'>,
  { rounds, failed, judging }: Measured,
): FeatureResult => {
  const contestants: Partial<Record<FolderName, Figures>> = {};
  for (const name of folders) {
    const found = rounds.filter(({ contestant }) => contestant === name);
    if (!failed.has(name) && found.length > 0) contestants[name] = summed(FIGURES, found);
  }
  const cpuRatios: Partial<Record<FolderName, number>> = {};
  const ours = contestants.millrace;
  for (const name of folders) {
    const theirs = contestants[name];
    if (ours === undefined || theirs === undefined || name === 'millrace') continue;
    cpuRatios[name] = ratio(ours.medians.cpuSecondsPerMillion, theirs.medians.cpuSecondsPerMillion);
  }
  return {
    bench: 'feature',
    settings,
    records,
    contestants,
    cpuRatios,
    correct: rounds.every(areRight),
    judgedBy: 'the vector of the fold offline',
    ...judgedBy(judging),
    failed: [...failed.keys()],
    left: Object.fromEntries(failed),
    rounds,
  };
};

/** As lines: the service alone, or beside each of the others. */
export const featureTable = ({ contestants }: FeatureResult): readonly string[] => {
  const { millrace, ...others } = contestants;
  const beside = Object.entries(others);
  if (millrace === undefined) return beside.flatMap(([name, theirs]) => alone(theirs, name));
  return beside.length === 0
    ? alone(millrace)
    : beside.flatMap(([name, theirs]) => [...table(millrace, name, theirs), '']);
};
