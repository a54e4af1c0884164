import { compareOrder } from '@millrace/features';
import { type Hop, hopAfter, type Plan } from './plan.ts';
import type { Row } from './row.ts';
import type { StageViews } from './views.ts';

const LATE =
  'its key has seen a newer event, and the pipeline folds none that is late; sent again with millrace dlq redrive it counts';

/**
 * Decided at the source alone: what has passed it has had its effect there. What somebody has sent again is let in, or it
 * would never be.
 */
const isRefused = (plan: Plan, index: number, views: StageViews | undefined, row: Row): boolean =>
  index < 0 &&
  plan.pipeline.delivery.late === 'dead-letter' &&
  !row.isSentAgain &&
  views?.comesLate(row.event) === true;

/**
 * Folds one row into the views of a stage (-1: the source), closes its record, and says where it goes next; undefined: it
 * ends here. What the stage gave is added to the row. A withdrawn event is taken out of the views of every stage and ends
 * before the vector.
 */
export function foldRow(plan: Plan, index: number, views: StageViews | undefined, row: Row): Hop | undefined {
  const { event, held } = row;
  const { batch, i } = held;
  if (isRefused(plan, index, views, row)) {
    batch.reject(i, 'late', LATE);
    return undefined;
  }
  const folding = views?.fold(event);
  if (folding?.skip !== undefined) {
    batch.skip(i, folding.skip);
    return undefined;
  }
  const hop = hopAfter(plan, index, event.stream);
  if (hop?.to === 'release' && event.withdrawn) {
    batch.skip(i, 'by-rule');
    return undefined;
  }
  batch.done(i);
  if (hop === undefined || folding === undefined) return hop;
  row.late ||= folding.late;
  row.features = joined(row.features, folding.features);
  row.ages = joined(row.ages, folding.ages);
  return hop;
}

/** Folds rows of one epoch in the common order, and hands on what goes further. */
export function foldRows(
  plan: Plan,
  index: number,
  views: StageViews | undefined,
  rows: readonly Row[],
  handOn: (row: Row, hop: Hop) => void,
): void {
  for (const row of rows.toSorted((a, b) => compareOrder(a.event, b.event))) {
    const hop = foldRow(plan, index, views, row);
    if (hop !== undefined) handOn(row, hop);
  }
}

const joined = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b];
