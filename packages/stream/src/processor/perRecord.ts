import { Bad } from '@millrace/avro';
import type { InboundBatch, Outcomes, RejectReason, SkipReason, Task } from '../task.ts';

export interface InboundRecord<In> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly key: Uint8Array | null;
  readonly value: In;
  header(name: string): Uint8Array | undefined;
}

/** What one record may answer; it is `done` when the function ends without `skip` or `reject`. */
export interface RecordOutcomes<Out> {
  /** Committed with the offset that closes this record. */
  emit<K extends keyof Out & string>(
    to: K,
    key: Uint8Array,
    value: Out[K] | Uint8Array | null,
    partition?: number,
  ): void;
  skip(reason: SkipReason): void;
  reject(reason: RejectReason, cause?: unknown): void;
}

export type RecordHandler<In, Out> = (
  record: InboundRecord<In>,
  out: RecordOutcomes<Out>,
  signal: AbortSignal,
) => void | Promise<void>;

/**
 * Lifts a function over one record to a task's `handle`: one record at a time, in the order read. A value that cannot
 * be used is rejected with its reason, a tombstone is skipped. Make one per task, in `createTask`: it keeps the order.
 *
 * A record is closed when the function ends, and state that it changed before its last `await` may be committed earlier
 * than that: look things up first, then change state, then return.
 */
export function perRecord<In, Out>(fn: RecordHandler<In, Out>): Task<In, Out>['handle'] {
  let last: Promise<void> = Promise.resolve();
  return (batch, out, signal) => {
    const mine = last.then(() => eachInOrder(fn, batch, out, signal));
    last = mine.catch(() => undefined);
    return mine;
  };
}

async function eachInOrder<In, Out>(
  fn: RecordHandler<In, Out>,
  batch: InboundBatch<In>,
  out: Outcomes<Out>,
  signal: AbortSignal,
): Promise<void> {
  for (let i = 0; i < batch.length; i++) {
    if (signal.aborted) return;
    const value = batch.value(i);
    if (value instanceof Bad) out.reject(i, value.reason, value);
    else if (value === null) out.skip(i, 'tombstone');
    else await one(fn, batch, i, value, out, signal);
  }
}

async function one<In, Out>(
  fn: RecordHandler<In, Out>,
  batch: InboundBatch<In>,
  i: number,
  value: In,
  out: Outcomes<Out>,
  signal: AbortSignal,
): Promise<void> {
  let closed = false;
  const record: InboundRecord<In> = {
    topic: batch.topic,
    partition: batch.partition,
    offset: batch.offset(i),
    appendTimeMs: batch.appendTimeMs(i),
    key: batch.key(i),
    value,
    header: name => batch.header(i, name),
  };
  await fn(
    record,
    {
      emit: (to, key, value, partition) => out.emitFor(i, to, key, value, partition),
      skip: reason => {
        closed = true;
        out.skip(i, reason);
      },
      reject: (reason, cause) => {
        closed = true;
        out.reject(i, reason, cause);
      },
    },
    signal,
  );
  if (!closed) out.done(i);
}
