/** Predictions with what turned out to be true about them: both topics are read to their ends, committed records only. */
import { Bad } from '@millrace/avro';
import { type PredictionValue, topicsOf } from '@millrace/contracts';
import type { Evaluation, Pipeline } from '@millrace/define';
import type { World } from '../world/prepare.ts';
import { valuesOf } from '../world/slice.ts';
import { eventTexts, featureText, type Grouping, groupOf, GROUPS_MAX } from './groupings.ts';
import { readLabels, type TrueLabel } from './labels.ts';

/** Longest join that is held in memory, in rows. */
export const ROWS_MAX = 20_000_000;

/** A prediction reduced to what it is judged by. */
export interface JudgedRow {
  readonly eventId: string;
  readonly entity: string;
  readonly eventTime: number;
  readonly score: number;
  /** Undefined where no label is known. */
  readonly truth: boolean | undefined;
  /** Values by which figures are told apart, in the order asked for. */
  readonly group: readonly string[];
  /** Of each feature of the pipeline's fairness, in its order: the group of people. None without it. */
  readonly people: readonly string[];
}

export interface JoinOptions {
  readonly by: readonly Grouping[];
  /** Event times, milliseconds since the epoch: first included, last excluded. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Labels count that were known by then, milliseconds since the epoch. */
  readonly asOfMs: number;
}

export interface Joined {
  readonly rows: readonly JudgedRow[];
  /** Of every event that has one, predicted or not. */
  readonly trueLabels: readonly TrueLabel[];
  /** Records that cannot be decoded, and predictions without a number as score. */
  readonly unusable: number;
}

/** Of several answers to one event the newest revision stands, and of that the last progressive result. */
export const isNewer = (a: PredictionValue, b: PredictionValue): boolean =>
  a.revision > b.revision || (a.revision === b.revision && a.seq >= b.seq);

/** @throws RangeError where the slice holds more than `ROWS_MAX` predictions: ask for fewer days. */
export const joinPredictions = async (
  world: World,
  pipeline: Pipeline,
  evaluation: Evaluation,
  options: JoinOptions,
): Promise<Joined> => {
  const labels = await readLabels(world, pipeline, evaluation, options.asOfMs);
  const newest = new Map<string, { readonly value: PredictionValue; readonly group: readonly string[] }>();
  const texts = await eventTexts(world, pipeline, options.by, options, ROWS_MAX);
  const groups = new Set<string>();
  let unusable = labels.unusable;
  const { predictions } = topicsOf(pipeline);
  for await (const { value } of valuesOf<PredictionValue>(world, pipeline, predictions)) {
    if (value === null) continue;
    if (value instanceof Bad) {
      unusable++;
      continue;
    }
    if (value.role !== 'answer' || value.eventTime < options.fromMs || value.eventTime >= options.untilMs)
      continue;
    const group = groupOf(options.by, value, texts);
    if (groups.add(JSON.stringify(group)).size > GROUPS_MAX)
      throw new RangeError(
        `--by ${options.by.map(({ name }) => name).join(',')} makes more than ${GROUPS_MAX} groups: name what has few values`,
      );
    const key = JSON.stringify([value.eventId, ...group]);
    const before = newest.get(key);
    if (before !== undefined && !isNewer(value, before.value)) continue;
    newest.set(key, { value, group });
    if (newest.size > ROWS_MAX)
      throw new RangeError(`more than ${ROWS_MAX} predictions: ask for fewer days with --from and --to`);
  }
  const attributes = Object.keys(evaluation.fairness?.groups ?? {});
  const rows: JudgedRow[] = [];
  for (const { value, group } of newest.values()) {
    const score = value.outputs[evaluation.output] ?? Number.NaN;
    if (Number.isNaN(score)) {
      unusable++;
      continue;
    }
    const label = labels.known.get(value.eventId);
    rows.push({
      eventId: value.eventId,
      entity: value.entity,
      eventTime: value.eventTime,
      score,
      truth: label === undefined || label.withdrawn ? undefined : label.truth,
      group,
      people: attributes.map(name => featureText(pipeline, name, value.features[name])),
    });
  }
  const trueLabels = [...labels.known.values()].filter(({ truth, withdrawn }) => truth && !withdrawn);
  return { rows, trueLabels, unusable };
};
