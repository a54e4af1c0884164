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
 * Folds rows of one epoch in the common order into the views of a stage (-1: the source), closes their records, and
 * hands on what goes further. A withdrawn event is taken out of the views of every stage and ends before the vector.
 */
export function foldRows(
  plan: Plan,
  index: number,
  views: StageViews | undefined,
  rows: readonly Row[],
  handOn: (row: Row, hop: Hop) => void,
): void {
  for (const row of [...rows].sort((a, b) => compareOrder(a.event, b.event))) {
    const { batch, i } = row.held;
    if (isRefused(plan, index, views, row)) {
      batch.reject(i, 'late', LATE);
      continue;
    }
    const folding = views?.fold(row.event);
    if (folding?.skip !== undefined) {
      batch.skip(i, folding.skip);
      continue;
    }
    const hop = hopAfter(plan, index, row.event.stream);
    if (hop?.to === 'release' && row.event.withdrawn) {
      batch.skip(i, 'by-rule');
      continue;
    }
    if (hop !== undefined) handOn(folding === undefined ? row : withFolding(row, folding), hop);
    batch.done(i);
  }
}

const withFolding = (
  { event, value, sourceTopic, appendTimeMs, traceparent, isSentAgain, late, features, ages, held }: Row,
  more: Pick<Row, 'late' | 'features' | 'ages'>,
): Row => ({
  event,
  value,
  sourceTopic,
  appendTimeMs,
  traceparent,
  isSentAgain,
  late: late || more.late,
  features: joined(features, more.features),
  ages: joined(ages, more.ages),
  held,
});

const joined = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.length === 0 ? b : b.length === 0 ? a : [...a, ...b];
