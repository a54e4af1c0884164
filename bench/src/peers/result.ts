/** What a run of `bench peers` comes to: a table to read, and one object. Pure. */
import { median, summed } from '../figures.ts';
import type { Measured, PeersOptions, PeersRound } from './bench.ts';
import { CONTESTANTS, type ContestantName } from './contestants.ts';
import { isRight } from './judge.ts';

const FIGURES = [
  'recordsPerSecond', 'cpuSecondsPerMillion', 'brokerCpuSecondsPerMillion', 'rssMaxMb', 'anonymousMb',
] as const; // prettier-ignore

type ByContestant<T> = Readonly<Record<ContestantName, T | null>>;

export interface PeersResult {
  readonly workload: string;
  readonly delivery: string;
  readonly records: number;
  readonly correct: boolean;
  /** Contestants that were asked for and could not be measured to the end. */
  readonly failed: readonly string[];
  readonly cpuPerMillion: ByContestant<number>;
  /** The same over the second half of the records. */
  readonly warmCpuPerMillion: ByContestant<number>;
  readonly brokerCpuPerMillion: ByContestant<number>;
  readonly rate: ByContestant<number>;
  /** Rate by that of reading and writing as many bytes alone, in the same run. */
  readonly rateByCeiling: ByContestant<number>;
  /** What hand-tuned Java pays for writing whole predictions and not scores alone, CPU seconds per million records. */
  readonly provenanceCpuPerMillion: number | null;
  readonly rssMb: ByContestant<number>;
  readonly anonymousMb: ByContestant<number>;
  /** False: every round was disturbed, so that only its ratios say something. */
  readonly trusted: ByContestant<boolean>;
  /** Why there are no figures. */
  readonly left: Readonly<Record<string, string>>;
  readonly rounds: readonly PeersRound[];
}

const byCeiling = (rate: ByContestant<number>): ByContestant<number> =>
  Object.fromEntries(
    Object.entries(rate).map(([name, of]) => [name, of === null || rate.ceiling === null ? null : Number((of / rate.ceiling).toFixed(2))]),
  ) as ByContestant<number>; // prettier-ignore

const difference = (whole: number | null, part: number | null): number | null =>
  whole === null || part === null ? null : Number((whole - part).toFixed(2));

export const resultOf = (
  { workload, delivery, records, only }: Pick<PeersOptions, 'workload' | 'delivery' | 'records' | 'only'>,
  { rounds, left }: Measured,
): PeersResult => {
  const of = (name: ContestantName) => (left.has(name) ? [] : rounds.filter(one => one.contestant === name));
  const by = <T>(figure: (rounds: readonly PeersRound[]) => T | null): ByContestant<T> =>
    Object.fromEntries(
      CONTESTANTS.map(name => [name, of(name).length === 0 ? null : figure(of(name))]),
    ) as ByContestant<T>;
  const middle = (figure: (typeof FIGURES)[number]): ByContestant<number> =>
    by(found => summed(FIGURES, found).medians[figure]);
  const [cpuPerMillion, rate] = [middle('cpuSecondsPerMillion'), middle('recordsPerSecond')];
  return {
    workload,
    delivery,
    records,
    correct: rounds.every(one => isRight(one.verdict)),
    failed: only.filter(name => left.has(name)),
    cpuPerMillion,
    warmCpuPerMillion: by(found => {
      const good = found.filter(one => one.disturbed === undefined);
      const used = (good.length > 0 ? good : found).flatMap(one => one.warmCpuSecondsPerMillion ?? []);
      return used.length === 0 ? null : Number(median(used).toFixed(2));
    }),
    brokerCpuPerMillion: middle('brokerCpuSecondsPerMillion'),
    rate,
    rateByCeiling: byCeiling(rate),
    provenanceCpuPerMillion: difference(cpuPerMillion['java-tuned'], cpuPerMillion['java-scores']),
    rssMb: middle('rssMaxMb'),
    anonymousMb: middle('anonymousMb'),
    trusted: by(found => summed(FIGURES, found).trusted),
    left: Object.fromEntries(left),
    rounds,
  };
};

const row = (cells: readonly string[]): string =>
  cells.map((cell, i) => (i === 0 ? cell.padEnd(24) : cell.padStart(14))).join('');

const ratioTo = (ours: number | null, theirs: number | null): string =>
  ours === null || theirs === null ? '-' : (ours / theirs).toFixed(2);

/** As lines; the ratio is Millrace's CPU over the other's. */
export const peersTable = (result: PeersResult): readonly string[] => {
  const ours = result.cpuPerMillion.millrace;
  const lines = CONTESTANTS.map(name => {
    const cpu = result.cpuPerMillion[name];
    if (cpu === null) return `${name.padEnd(24)}${result.left[name] ?? 'no figures'}`;
    const figures = [cpu, result.warmCpuPerMillion[name], result.rate[name], result.rateByCeiling[name], result.rssMb[name]]; // prettier-ignore
    const mark = result.trusted[name] === true ? '' : ' *';
    return row([name + mark, ...figures.map(figure => String(figure ?? '-')), ratioTo(ours, cpu)]);
  });
  return [
    `${result.workload}, ${result.records} records, ${result.delivery}; medians of the rounds`,
    row(['', 'CPU s/million', 'second half', 'records/s', 'of ceiling', 'RSS, MB', 'ratio of CPU']),
    ...lines,
    ...(result.provenanceCpuPerMillion === null
      ? []
      : [
          `whole predictions and not scores alone: ${result.provenanceCpuPerMillion} CPU s/million of hand-tuned Java`,
        ]),
    ...(Object.values(result.trusted).includes(false) ? ['* every round was disturbed'] : []),
  ];
};
