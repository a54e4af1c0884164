import type { Batch } from './batches.ts';
import { controlTypeOf } from './records.ts';

/** A transaction that was aborted, as an answer to Fetch names it. */
export interface Aborted {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** Type of the control record that ends a transaction without effect. */
const ABORT = 0;

/**
 * Batches that a read_committed reader may see: no control batches, and none of an aborted transaction. The broker lists
 * aborts in the order in which they ended; what counts is where they began. One batch can lie past the beginnings of
 * several, and only a control batch of the type ends one: a user's record may have any key.
 */
export const committedOnly = (batches: readonly Batch[], aborted: readonly Aborted[]): readonly Batch[] => {
  if (aborted.length === 0) return batches.filter(({ control }) => !control);
  const begun = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<bigint>();
  let next = 0;
  return batches.filter(batch => {
    for (; next < begun.length && begun[next]!.firstOffset <= batch.lastOffset; next++)
      open.add(begun[next]!.producerId);
    if (batch.control && controlTypeOf(batch) === ABORT) open.delete(batch.producerId);
    return !batch.control && !(batch.transactional && open.has(batch.producerId));
  });
};
