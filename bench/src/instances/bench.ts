/** `bench instances`: whether N processes of inference do N times as much, and whether a kill goes as it is simulated. */
import { isRight } from '../check.ts';
import { moreRounds, ratio, type Summed, summed } from '../figures.ts';
import { withWorkload } from '../peers/workloads.ts';
import { type Kill, killRound } from './kill.ts';
import { type ScaleRound, scaleRound } from './scale.ts';
import { courseOf, type InstancesOptions } from './team.ts';

const FIGURES = ['recordsPerSecond', 'cpuSecondsPerMillion', 'brokerCpuSecondsPerMillion', 'cores', 'anonymousMb'] as const; // prettier-ignore
type Figure = (typeof FIGURES)[number];

export interface Scale extends Summed<Figure> {
  readonly processes: number;
  /** Rate by that of one process, and what the partitions allow: those of the busiest process bound it. */
  readonly byOne: number;
  readonly allowed: number;
}

export interface InstancesResult {
  readonly bench: 'instances';
  readonly settings: Readonly<Record<string, string>>;
  readonly records: number;
  /** That each process was held to. */
  readonly cores: number | undefined;
  readonly scale: readonly Scale[];
  /** Undefined with one process, which nobody is left after. */
  readonly kill: Kill | undefined;
  readonly correct: boolean;
  readonly rounds: readonly ScaleRound[];
}

const scaleOf = (rounds: readonly ScaleRound[], partitions: number): readonly Scale[] => {
  const counts = [...new Set(rounds.map(one => one.processes))].toSorted((a, b) => a - b);
  const by = counts.map(processes => ({
    processes,
    ...summed(
      FIGURES,
      rounds.filter(one => one.processes === processes),
    ),
  }));
  const one = by[0]!.medians.recordsPerSecond;
  return by.map(each => ({
    ...each,
    byOne: ratio(each.medians.recordsPerSecond, one),
    allowed: ratio(partitions, Math.ceil(partitions / each.processes)),
  }));
};

export const benchInstances = (options: InstancesOptions): Promise<InstancesResult> =>
  withWorkload({ ...options, outTopics: [] }, async (world, workload) => {
    const { say, processes, cores, records, settings } = options;
    const { partitions } = world.pipeline;
    const course = await courseOf(world, workload, options);
    const counts = Array.from({ length: processes }, (_, i) => i + 1);
    const rounds: ScaleRound[] = [];
    const of = (n: number) => rounds.filter(one => one.processes === n);
    let first = 0;
    for (let n = 1; moreRounds(options.rounds, counts.map(of)); n++)
      for (const count of counts) {
        const { round, next } = await scaleRound(course, count, first);
        first = next;
        rounds.push(round);
        say(`${count} processes, round ${n}: ${round.recordsPerSecond} records/s, ${round.cpuSecondsPerMillion} CPU s per million` + (round.disturbed === undefined ? '' : `, disturbed: ${round.disturbed}`)); // prettier-ignore
      }
    const scale = scaleOf(rounds, partitions);
    const rate = scale[0]!.medians.recordsPerSecond;
    const kill = processes > 1 ? await killRound(course, rate, first) : undefined;
    const accounts = [...rounds, ...(kill === undefined ? [] : [kill])].map(one => one.account);
    const correct = accounts.every(isRight);
    return { bench: 'instances', settings, records, cores, scale, kill, correct, rounds };
  });

const line = (cells: readonly (string | number)[]): string =>
  cells.map((cell, i) => (i === 0 ? String(cell).padEnd(34) : String(cell).padStart(12))).join('');

export const instancesTable = ({ scale, kill, cores }: InstancesResult): readonly string[] => {
  const held = cores === undefined ? '' : `, each held to ${cores} cores`;
  const caughtUp = (ms: number | undefined): string => (ms === undefined ? 'not' : String(ms));
  return [
    line([`processes${held}`, ...scale.map(one => one.processes)]),
    line(['records/s', ...scale.map(one => one.medians.recordsPerSecond)]),
    line(['by one process', ...scale.map(one => one.byOne)]),
    line(['what partitions allow', ...scale.map(one => one.allowed)]),
    line(['CPU s per million records', ...scale.map(one => one.medians.cpuSecondsPerMillion)]),
    line(['broker CPU s per million records', ...scale.map(one => one.medians.brokerCpuSecondsPerMillion)]),
    line(['anonymous memory, MB, at most', ...scale.map(one => one.medians.anonymousMb)]),
    line(['rounds, rejected as disturbed', ...scale.map(one => `${one.rounds}, ${one.rejected}`)]),
    ...(kill === undefined
      ? []
      : [
          '',
          line([`one of ${kill.processes} killed at ${kill.recordsPerSecond}/s`, 'measured', 'simulated']),
          line(['longest wait, ms', kill.measured.mostMs, kill.simulated.mostMs]),
          line(['lag before, records', kill.measured.lagBefore, '']),
          line(['lag at most, records', kill.measured.lagMost, kill.simulated.lagMost]),
          line([
            'caught up after, ms',
            caughtUp(kill.measured.caughtUpMs),
            caughtUp(kill.simulated.caughtUpMs),
          ]),
        ]),
  ];
};
