/** The report: a table for people, one object for scripts. */
import { type Recovery, spreadOfTakeOvers } from './judge/recovery.ts';
import type { Run } from './plan.ts';
import type { Outcome, Skipped } from './run.ts';

const MIB = 1 << 20;
/** In the order of the report. */
const SERVICES = ['feature', 'inference', 'sink'] as const;

const nameOf = ({ scenario, without }: Run): string =>
  without === undefined ? scenario.name : `${scenario.name} without ${without.name}`;

const placeOf = (run: Run): readonly string[] => [
  run.scenario.number > 0 ? String(run.scenario.number) : '',
  nameOf(run),
  String(run.brokers),
];

/** Median and worst. */
const secondsOf = ({ p50, max }: Recovery): string =>
  [p50, max].map(seconds => (Number.isFinite(seconds) ? seconds.toFixed(1) : 'never')).join(' / ');

const row = ({ run, verdict, faults, memory, problems }: Outcome): readonly string[] => [
  ...placeOf(run),
  String(faults),
  String(verdict.inputs),
  String(verdict.outputs),
  String(verdict.lost),
  String(verdict.doubled),
  String(verdict.repeats),
  String(verdict.reordered),
  String(verdict.wrong + verdict.state.different),
  secondsOf(verdict.recovery),
  SERVICES.map(name => Math.round((memory[name] ?? 0) / MIB)).join(' '),
  problems.length === 0 ? 'good' : 'RED',
]; // prettier-ignore

const HEAD = [
  '#', 'scenario', 'brokers', 'faults', 'inputs', 'outputs', 'lost', 'doubled', 'same again', 'reordered', 'wrong state',
  'recovery s p50 / max', 'MiB feature inference sink', '',
]; // prettier-ignore

const skippedRow = ({ run }: Skipped): readonly string[] =>
  HEAD.map((_, i) => (i === HEAD.length - 1 ? 'SKIPPED' : (placeOf(run)[i] ?? '')));

export const tableOf = (
  outcomes: readonly Outcome[],
  skipped: readonly Skipped[] = [],
): readonly string[] => {
  const rows = [HEAD, ...outcomes.map(row), ...skipped.map(skippedRow)];
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
  const not = skipped.map(({ run, reason }) => `${nameOf(run)}: skipped, ${reason}`);
  return [...lines, ...takeOverLines(outcomes), ...why, ...not];
};

/** From the fault to the first record that was scored again, of the partitions that stood to lose by it. */
const takeOverLines = (outcomes: readonly Outcome[]): readonly string[] =>
  outcomes.flatMap(({ run, verdict }) =>
    Object.entries(spreadOfTakeOvers(verdict.takeOvers)).map(([name, { count, partitions, ...all }]) => {
      const each = Object.entries(partitions).map(([partition, one]) => `${partition}: ${secondsOf(one)}`);
      return `${nameOf(run)}, ${name}: ${secondsOf({ count, ...all })} s from the fault, ${count} partitions; ${each.join(', ')}`;
    }),
  );

const sum = (outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number =>
  outcomes.reduce((total, outcome) => total + of(outcome), 0);

export const summaryOf = (
  outcomes: readonly Outcome[],
  skipped: readonly Skipped[],
  seed: number,
): object => ({
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
  skipped: skipped.length,
  takeOverSeconds: spreadOfTakeOvers(outcomes.flatMap(o => o.verdict.takeOvers)),
  seed,
  scenarios: [
    ...outcomes.map(({ run, verdict, ...rest }) => ({
      ...namesOf(run),
      verdict: rest.problems.length === 0 ? 'good' : 'red',
      ...rest,
      ...verdict,
    })),
    ...skipped.map(({ run, reason }) => ({ ...namesOf(run), verdict: 'skipped', reason })),
  ],
});

const namesOf = ({ scenario: { number, name }, brokers, delivery, without }: Run): object => ({
  number,
  name,
  brokers,
  delivery,
  without: without?.name,
});

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
