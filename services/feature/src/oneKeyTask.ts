import { type Epoch, EPOCH_NONE, partsOf } from '@millrace/features';
import type { InboundBatch, Outcomes, PartitionOffset, Task, TaskContext } from '@millrace/stream';
import { TaskBook } from './book.ts';
import type { EntityCache } from './entityCache.ts';
import { EpochSource, type EpochSourceOptions } from './epochSource.ts';
import { foldRows } from './fold.ts';
import { OpenBatches } from './openBatch.ts';
import type { ProgressView } from './progress.ts';
import type { Row } from './row.ts';
import type { Inbound, Outputs } from './values.ts';
import { vectorWriter, type VectorWriterOptions } from './vector.ts';
import { StageViews } from './views.ts';

export interface OneKeyTaskOptions extends EpochSourceOptions, VectorWriterOptions {
  readonly progress: ProgressView;
  readonly cache: EntityCache;
}

/**
 * A pipeline whose views have one key, where several inputs or a past decide the order. All that a key needs is in this
 * task, so an epoch that its source closes is folded and its vectors are written in the same stretch: no lane, no marker,
 * no head of another task is waited for. Of the progress it needs its own only, which says what is committed.
 */
export function oneKeyTask(
  options: OneKeyTaskOptions,
  context: TaskContext<Outputs>,
): Task<Inbound, Outputs> {
  const { plan, progress, history, freshness, cache } = options;
  const book = new TaskBook(context.state, plan.set.hash, plan.pipeline.partitions, history.run);
  const source = new EpochSource(options, context, book);
  const views = plan.first === undefined ? undefined : new StageViews(plan.first, context, cache);
  const vectors = vectorWriter(plan, context, options);
  const batches = new OpenBatches(context.signal);
  const releasedBefore = book.released;
  // As if somebody waited there: a task without records says, too, that its past is done.
  const pastEnd = Math.max(EPOCH_NONE, ...history.of(context.id).map(of => of.history?.last ?? EPOCH_NONE));

  const fold = (epoch: Epoch, rows: readonly Row[]): void => {
    const scored: Row[] = [];
    foldRows(plan, -1, views, rows, row => scored.push(row));
    if (scored.length > 0) vectors.write(scored, partsOf(epoch).phase);
  };
  const advance = (): void => {
    if (context.signal.aborted) return;
    try {
      const cut = source.cut(pastEnd);
      if (cut !== undefined) {
        for (const { epoch, rows } of cut.epochs) fold(epoch, rows);
        views?.flush();
        const { id, out } = context;
        out.emit(
          'progress',
          Buffer.from(String(id)),
          { task: id, head: null, released: partsOf(cut.closed) },
          id,
        );
        book.publish(EPOCH_NONE, cut.closed);
        book.flush();
        context.commitSoon();
      }
      source.pace(Math.max(releasedBefore, progress.releasedBy(context.id)));
    } catch (error) {
      context.fail(error as Error);
    }
  };

  const unlisten = progress.onChange(advance);
  context.signal.addEventListener('abort', unlisten, { once: true });
  return {
    handle(batch: InboundBatch<Inbound>, out: Outcomes<Outputs>): Promise<void> {
      const open = batches.open(batch, out);
      source.read(batch, open);
      advance();
      return open.settled;
    },
    onCaughtUp(at: PartitionOffset): void {
      if (source.caughtUp(at)) advance();
    },
    onTime(): void {
      advance();
      freshness.report();
    },
    onRevoke: unlisten,
  };
}
