/** The report: a table for people, one object for scripts. */
import type { Run } from './plan.ts';
import type { Outcome } from './run.ts';

const MIB = 1 << 20;
/** In the order of the report. */
const SERVICES = ['feature', 'inference', 'sink'] as const;

const nameOf = ({ scenario, without }: Run): string =>
  without === undefined ? scenario.name : `${scenario.name} without ${without.name}`;

const row = ({ run, verdict, faults, memory, problems }: Outcome): readonly string[] => [
  run.scenario.number > 0 ? String(run.scenario.number) : '',
  nameOf(run),
  String(run.brokers),
  String(faults),
  String(verdict.inputs),
  String(verdict.outputs),
  String(verdict.lost),
  String(verdict.doubled),
  String(verdict.repeats),
  String(verdict.reordered),
  String(verdict.wrong + verdict.state.different),
  `${verdict.recovery.p50.toFixed(1)} / ${verdict.recovery.max.toFixed(1)}`,
  SERVICES.map(name => Math.round((memory[name] ?? 0) / MIB)).join(' '),
  problems.length === 0 ? 'good' : 'RED',
]; // prettier-ignore

const HEAD = [
  '#', 'scenario', 'brokers', 'faults', 'inputs', 'outputs', 'lost', 'doubled', 'same again', 'reordered', 'wrong state',
  'recovery s p50 / max', 'MiB feature inference sink', '',
]; // prettier-ignore

export const tableOf = (outcomes: readonly Outcome[]): readonly string[] => {
  const rows = [HEAD, ...outcomes.map(row)];
  const widths = HEAD.map((_, i) => Math.max(...rows.map(cells => cells[i]!.length)));
  const lines = rows.map(cells =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
  const why = outcomes.flatMap(({ run, problems, verdict, ownEnds }) => [
    ...(ownEnds.length > 0 ? [`${nameOf(run)}: ended by themselves: ${ownEnds.join(', ')}`] : []),
    ...(problems.length > 0 ? [`${nameOf(run)}: ${problems.join('; ')}`] : []),
    ...(problems.length > 0 ? [...verdict.examples, ...verdict.state.examples].map(one => `  ${one}`) : []),
  ]);
  return [...lines, ...why];
};

const sum = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, outcome) => total + of(outcome), 0);

export const summaryOf = (outcomes: readonly Outcome[], seed: number): object => ({
  inputs: sum(outcomes, o => o.verdict.inputs),
  outputs: sum(outcomes, o => o.verdict.outputs),
  lost: sum(outcomes, o => o.verdict.lost),
  doubled: sum(outcomes, o => o.verdict.doubled),
  reordered: sum(outcomes, o => o.verdict.reordered),
  faults: sum(outcomes, o => o.faults),
  recoverySeconds: {
    p50: median(outcomes.map(o => o.verdict.recovery.p50)),
    max: Math.max(0, ...outcomes.map(o => o.verdict.recovery.max)),
  },
  seed,
  scenarios: outcomes.map(({ run, verdict, ...rest }) => {
    const { scenario, brokers, delivery, without } = run;
    const { number, name } = scenario;
    return { number, name, brokers, delivery, without: without?.name, ...rest, ...verdict };
  }),
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
