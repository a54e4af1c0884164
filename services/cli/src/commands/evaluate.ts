/** `millrace evaluate`: how good the scores on the predictions topic were, by the labels that have come since. */
import { namesIn, type Pipeline } from '@millrace/define';
import {
  type FairnessFigures, fairnessFigures, type ThresholdFigures, thresholdFigures, type Thresholds,
} from '../evaluate/calls.ts'; // prettier-ignore
import { type Figures, figuresOf, judgedOf } from '../evaluate/figures.ts';
import { type Grouping, groupingOf } from '../evaluate/groupings.ts';
import { joinPredictions, type JudgedRow } from '../evaluate/join.ts';
import { timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import { readControl } from '../world/control.ts';
import type { World } from '../world/prepare.ts';

export interface EvaluateOptions {
  /** Inclusive days of event time, YYYY-MM-DD in UTC. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Labels known by this time (ISO 8601) count; all without it. */
  readonly asOf: string | undefined;
  /** Comma separated names of `GROUPINGS`, features and fields of the event. */
  readonly by: string;
  readonly top: number;
  /** Leave out entities known by then, from events since this day on. */
  readonly leaveOutKnownSince: string | undefined;
  readonly output: OutputForm;
}

const DAY_MS = 86_400_000;

export type Evaluated = Figures & {
  readonly group: Readonly<Record<string, string>>;
  readonly thresholds: readonly ThresholdFigures[];
  readonly fairness: readonly FairnessFigures[];
};

const groupsOf = (rows: readonly JudgedRow[]): readonly (readonly JudgedRow[])[] =>
  [...Map.groupBy(rows, ({ group }) => JSON.stringify(group))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ofGroup]) => ofGroup);

const shown = (figure: number | null): string => (figure === null ? '-' : figure.toFixed(4));

/** One table of figures, one line for each that a group has; nothing where no group has one. */
const printTable = <T>(
  io: Io,
  by: readonly string[],
  groups: readonly Evaluated[],
  header: readonly string[],
  of: (g: Evaluated) => readonly T[],
  cells: (one: T) => readonly (string | number)[],
): void => {
  const rows = groups.flatMap(g => of(g).map(one => [...by.map(name => g.group[name]!), ...cells(one)]));
  if (rows.length === 0) return;
  for (const line of table([...by.map(name => name.toUpperCase()), ...header], rows)) io.out(line);
};

const print = (io: Io, by: readonly string[], k: number, groups: readonly Evaluated[]): void => {
  printTable(io, by, groups, [
    'ROWS', 'TRUE', 'UNLABELLED', 'LEFT OUT', 'AUC', 'AVG PRECISION',
    `PRECISION@${k}`, `ENTITY PRECISION@${k}`, 'DAYS', 'BRIER', 'CALIBRATION ERROR',
  ], g => [g], g => [
    g.rows, g.positives, g.unlabelled, g.leftOut, shown(g.auc), shown(g.averagePrecision),
    shown(g.precisionAtK), shown(g.entityPrecisionAtK), g.days, shown(g.brier), shown(g.calibrationError),
  ]);
  io.out('');
  printTable(io, by, groups, ['THRESHOLD', 'AT', 'ACCURACY', 'BALANCED ACCURACY', 'PRECISION', 'RECALL', 'SPECIFICITY'],
    g => g.thresholds, one => [
      one.threshold, one.at, shown(one.accuracy), shown(one.balancedAccuracy), shown(one.precision), shown(one.recall), shown(one.specificity),
    ]);
  if (groups.some(g => g.fairness.length > 0)) io.out('');
  printTable(io, by, groups, [
    'FAIRNESS BY', 'GROUP', 'ROWS', 'ACCEPTED', 'EQUAL OPPORTUNITY', 'FPR BALANCE', 'AVERAGE ODDS', 'DEMOGRAPHIC PARITY', 'PREDICTIVE PARITY',
  ], g => g.fairness, one => [
    one.of, one.group, one.rows, shown(one.accepted), shown(one.equalOpportunity), shown(one.falsePositiveRateBalance),
    shown(one.averageOdds), shown(one.demographicParity), shown(one.positivePredictiveParity),
  ]);
}; // prettier-ignore

/** Those in force, as the control topic says; the pipeline's own where it says nothing. */
const thresholdsOf = async (world: World, { name, thresholds }: Pipeline): Promise<Thresholds> => ({
  ...thresholds,
  ...(await readControl(world)).find(name, 'thresholds', 'default'),
});

/** Others are no scores: a route may compare amounts with them. */
const decidingThresholds = ({ decisions }: Pipeline): ReadonlySet<string> =>
  new Set(decisions.flatMap(({ when }) => (when === undefined ? [] : [...namesIn(when, 'threshold')])));

const pick = (thresholds: Thresholds, names: ReadonlySet<string>): Thresholds =>
  Object.fromEntries(Object.entries(thresholds).filter(([name]) => names.has(name)));

export const evaluate = async (
  io: Io,
  world: World,
  pipeline: Pipeline,
  options: EvaluateOptions,
): Promise<ExitCode> => {
  const { evaluation } = pipeline;
  if (evaluation === undefined)
    throw new UsageError(
      `pipeline ${pipeline.name} does not say how its scores are judged: give it an evaluation`,
    );
  const by: readonly Grouping[] = options.by.split(',').map(name => groupingOf(pipeline, name));
  const toMs = timeOf('to', options.to);
  const { rows, trueLabels, unusable } = await joinPredictions(world, pipeline, evaluation, {
    by,
    fromMs: timeOf('from', options.from) ?? Number.NEGATIVE_INFINITY,
    untilMs: toMs === undefined ? Number.POSITIVE_INFINITY : toMs + DAY_MS,
    asOfMs: timeOf('as-of', options.asOf) ?? Number.POSITIVE_INFINITY,
  });
  const figureOptions = {
    k: options.top,
    leaveOutKnownSinceMs: timeOf('leave-out-known-since', options.leaveOutKnownSince),
  };
  const thresholds = await thresholdsOf(world, pipeline);
  const ofDecisions = pick(thresholds, decidingThresholds(pipeline));
  const groups = groupsOf(rows).map((ofGroup): Evaluated => {
    const { kept, judged } = judgedOf(ofGroup, trueLabels, figureOptions);
    return {
      group: Object.fromEntries(by.map(({ name }, i) => [name, ofGroup[0]!.group[i]!])),
      ...figuresOf(ofGroup, trueLabels, figureOptions),
      thresholds: thresholdFigures(judged, ofDecisions),
      fairness: fairnessFigures(evaluation, kept, judged, thresholds),
    };
  });
  if (options.output === 'json')
    io.out(JSON.stringify({ pipeline: pipeline.name, k: options.top, unusable, groups }));
  else print(io, by.map(({ name }) => name), options.top, groups); // prettier-ignore
  if (unusable > 0) io.say(`${unusable} records could not be used: not decodable, or without a score.`);
  if (groups.length === 0) io.say('No predictions in these days.');
  return EXIT.done;
};
