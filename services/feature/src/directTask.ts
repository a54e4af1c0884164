import type { InboundBatch, Outcomes, Task, TaskContext } from '@millrace/stream';
import { TaskBook } from './book.ts';
import type { EntityCache } from './entityCache.ts';
import type { Freshness } from './freshness.ts';
import { foldRow } from './fold.ts';
import { OpenBatches } from './openBatch.ts';
import type { Plan } from './plan.ts';
import { readSource, type Row, rowInHand } from './row.ts';
import type { Inbound, Outputs } from './values.ts';
import { vectorWriter, type VectorWriterOptions } from './vector.ts';
import { StageViews } from './views.ts';

/** A pipeline whose views have one key, or none, over one live stream: each event is folded and answered as it is read. */
export function directTask(
  plan: Plan,
  context: TaskContext<Outputs>,
  cache: EntityCache,
  options: VectorWriterOptions & { readonly freshness: Freshness },
): Task<Inbound, Outputs> {
  const book = new TaskBook(context.state, plan.set.hash, plan.pipeline.partitions, undefined);
  const views = plan.first === undefined ? undefined : new StageViews(plan.first, context, cache);
  const batches = new OpenBatches(context.signal);
  const vectors = vectorWriter(plan, context, options);
  const inHand = rowInHand();
  return {
    async handle(batch: InboundBatch<Inbound>, out: Outcomes<Outputs>): Promise<void> {
      const open = batches.open(batch, out);
      const source = plan.sources.find(({ topic }) => topic === batch.topic)!;
      book.begin();
      // What is sent again keeps where it first stood: only then are records not in source order.
      const again: Row[] | undefined = source.asideOf === undefined ? undefined : [];
      const held = { batch: open, i: 0 };
      let isFolded = false;
      let newestMs = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < batch.length; i++) {
        held.i = i;
        const row =
          again === undefined
            ? readSource(plan, source, batch, i, held, inHand)
            : readSource(plan, source, batch, i, { batch: open, i });
        if (typeof row === 'string') open.skip(i, row);
        else if ('reason' in row) open.reject(i, row.reason, row.cause);
        else {
          newestMs = Math.max(newestMs, row.event.time);
          if (foldRow(plan, -1, views, row) === undefined) continue;
          isFolded = true;
          // Its vector is written at once: nothing of the row has to outlive it.
          if (again === undefined) vectors.put(row);
          else again.push(row);
        }
      }
      if (newestMs !== Number.NEGATIVE_INFINITY) options.freshness.seen(source.stream, newestMs);
      if (again !== undefined && again.length > 0) vectors.write(again, 'live');
      else if (isFolded) vectors.settle('live');
      views?.flush();
      await open.settled;
    },
    onTime: () => options.freshness.report(),
  };
}
