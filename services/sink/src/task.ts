/**
 * Stores the predictions of one partition. Batches wait in line while a transaction is under way, and go together into
 * the next one, up to `rowsMax` rows: a slow database makes larger transactions, and at last a paused partition.
 *
 * The offset in the database decides: it moves in the transaction that stores the rows, and only from where this task
 * knows it to be. Kafka's committed offset follows, for lag tools and for letters: a rejected record's offset is committed
 * only after its dead letter is acknowledged, so reading begins at the lower of the two, and rows below the stored offset
 * are closed without being written again.
 */
import { Bad } from '@millrace/avro';
import type { PredictionValue } from '@millrace/contracts';
import type { InboundBatch, Outcomes, Task } from '@millrace/stream';
import { type Clock, type Metrics, processSpan, type Tracing } from '@millrace/telemetry';
import type { Database, SinkPartition, StoredPrediction } from './postgres/database.ts';

export interface StoreTaskOptions {
  readonly pipeline: string;
  readonly at: SinkPartition;
  /** Offset stored next in the database when the task was created. */
  readonly storedNext: number;
  readonly rowsMax: number;
  readonly database: Database;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
}

type Batch = InboundBatch<PredictionValue>;
interface Waiting {
  readonly batch: Batch;
  readonly out: Outcomes<Record<string, never>>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class StoreTask implements Task<PredictionValue, Record<string, never>> {
  readonly #options: StoreTaskOptions;
  readonly #waiting: Waiting[] = [];
  #storedNext: number;
  #writing = false;

  constructor(options: StoreTaskOptions) {
    this.#options = options;
    this.#storedNext = options.storedNext;
  }

  handle(batch: Batch, out: Outcomes<Record<string, never>>): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, out, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#writing = true;
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        await this.#storeGroup(group);
        for (const waiting of group) waiting.resolve();
      } catch (error) {
        for (const waiting of [...group, ...this.#waiting.splice(0)]) waiting.reject(error);
      }
    }
    this.#writing = false;
  }

  #takeGroup(): Waiting[] {
    let rows = 0;
    let count = 0;
    while (
      count < this.#waiting.length &&
      (count === 0 || rows + this.#waiting[count]!.batch.length <= this.#options.rowsMax)
    )
      rows += this.#waiting[count++]!.batch.length;
    return this.#waiting.splice(0, count);
  }

  async #storeGroup(group: readonly Waiting[]): Promise<void> {
    const { database, at, pipeline, clock, metrics, tracing } = this.#options;
    const rows: StoredPrediction[] = [];
    const closings: (() => void)[] = [];
    let next = this.#storedNext;
    for (const { batch, out } of group)
      for (let i = 0; i < batch.length; i++) {
        const offset = batch.offset(i);
        const value = batch.value(i);
        next = Math.max(next, offset + 1);
        if (value === null) closings.push(() => out.skip(i, 'tombstone'));
        else if (value instanceof Bad) closings.push(() => out.reject(i, value.reason, value));
        else {
          if (offset >= this.#storedNext) rows.push({ prediction: value, offset });
          closings.push(() => out.done(i));
        }
      }
    if (next > this.#storedNext) {
      const startedAt = clock.now();
      const { topic, partition } = at;
      const traceparents = rows.flatMap(({ prediction }) => prediction.traceparent ?? []);
      await processSpan(tracing, { topic, partition, rows: rows.length, traceparents }, () =>
        database.store(at, this.#storedNext, next, pipeline, rows),
      );
      this.#storedNext = next;
      const now = clock.now();
      metrics.observe('millrace_sink_write_seconds', { table: 'predictions' }, (now - startedAt) / 1000);
      metrics.count('millrace_sink_rows_total', { table: 'predictions' }, rows.length);
      for (const { prediction } of rows)
        metrics.observe(
          'millrace_end_to_end_seconds',
          { pipeline, step: 'stored' },
          (now - prediction.appendTime) / 1000,
        );
    }
    for (const close of closings) close();
  }
}
