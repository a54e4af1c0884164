import { Bad } from '@millrace/avro';
import type { InboundBatch, Task } from '@millrace/stream';
import { noTracing, processSpan, type Tracing } from '@millrace/telemetry';
import type { Inbound, Outputs } from './values.ts';

/** Trace contexts of the events of a run: ingest writes them into the lineage of those that were sampled. */
const traceparentsOf = (batch: InboundBatch<Inbound>): readonly string[] => {
  const found: string[] = [];
  for (let i = 0; i < batch.length; i++) {
    const value = batch.value(i);
    if (value === null || value instanceof Bad) continue;
    const lineage = (value as { lineage?: { traceparent?: string | null } | null }).lineage;
    if (typeof lineage?.traceparent === 'string') found.push(lineage.traceparent);
  }
  return found;
};

/**
 * A task with a `process <topic>` span around each run of its event topics, from its arrival until all of it is applied.
 * What travels between stages has no span of its own. Without tracing the task is left as it is: looking for trace
 * contexts decodes each event once more.
 */
export const traced = (
  task: Task<Inbound, Outputs>,
  eventTopics: ReadonlySet<string>,
  tracing: Tracing,
): Task<Inbound, Outputs> => {
  if (tracing === noTracing) return task;
  const handle = task.handle.bind(task);
  task.handle = (batch, out, signal) => {
    const { topic, partition, length: rows } = batch;
    if (!eventTopics.has(topic)) return handle(batch, out, signal);
    const traceparents = traceparentsOf(batch);
    return processSpan(tracing, { topic, partition, rows, traceparents }, () => handle(batch, out, signal));
  };
  return task;
};
