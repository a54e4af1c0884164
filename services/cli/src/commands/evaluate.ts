/** `millrace evaluate`: how good the scores on the predictions topic were, by the labels that have come since. */
import type { Pipeline } from '@millrace/define';
import { type Figures, figuresOf } from '../evaluate/figures.ts';
import { type Grouping, GROUPINGS, joinPredictions, type JudgedRow } from '../evaluate/join.ts';
import { timeOf } from '../flags.ts';
import { EXIT, type ExitCode, type Io, type OutputForm, table, UsageError } from '../io.ts';
import type { World } from '../world/prepare.ts';

export interface EvaluateOptions {
  /** Inclusive days of event time, YYYY-MM-DD in UTC. */
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Labels known by this time (ISO 8601) count; all without it. */
  readonly asOf: string | undefined;
  /** Comma separated names of `GROUPINGS`. */
  readonly by: string;
  readonly top: number;
  /** Leave out entities known by then, from events since this day on. */
  readonly leaveOutKnownSince: string | undefined;
  readonly output: OutputForm;
}

const DAY_MS = 86_400_000;

const groupingsOf = (text: string): Grouping[] =>
  text.split(',').map(name => {
    if (!Object.hasOwn(GROUPINGS, name))
      throw new UsageError(`--by: '${name}' is unknown; there are ${Object.keys(GROUPINGS).join(', ')}`);
    return name as Grouping;
  });

export type Evaluated = Figures & { readonly group: Readonly<Record<string, string>> };

const groupsOf = (rows: readonly JudgedRow[]): readonly (readonly JudgedRow[])[] =>
  [...Map.groupBy(rows, ({ group }) => JSON.stringify(group))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, ofGroup]) => ofGroup);

const shown = (figure: number | null): string => (figure === null ? '-' : figure.toFixed(4));

const print = (io: Io, by: readonly Grouping[], k: number, groups: readonly Evaluated[]): void => {
  const header = [
    ...by.map(name => name.toUpperCase()), 'ROWS', 'TRUE', 'UNLABELLED', 'LEFT OUT', 'AUC', 'AVG PRECISION',
    `PRECISION@${k}`, `ENTITY PRECISION@${k}`, 'DAYS', 'BRIER', 'CALIBRATION ERROR',
  ]; // prettier-ignore
  const rows = groups.map(g => [
    ...by.map(name => g.group[name]!), g.rows, g.positives, g.unlabelled, g.leftOut, shown(g.auc), shown(g.averagePrecision),
    shown(g.precisionAtK), shown(g.entityPrecisionAtK), g.days, shown(g.brier), shown(g.calibrationError),
  ]); // prettier-ignore
  for (const line of table(header, rows)) io.out(line);
};

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
  const by = groupingsOf(options.by);
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
  const groups = groupsOf(rows).map((ofGroup): Evaluated => ({
    group: Object.fromEntries(by.map((name, i) => [name, ofGroup[0]!.group[i]!])),
    ...figuresOf(ofGroup, trueLabels, figureOptions),
  }));
  if (options.output === 'json')
    io.out(JSON.stringify({ pipeline: pipeline.name, k: options.top, unusable, groups }));
  else print(io, by, options.top, groups);
  if (unusable > 0) io.say(`${unusable} records could not be used: not decodable, or without a score.`);
  if (groups.length === 0) io.say('No predictions in these days.');
  return EXIT.done;
};
