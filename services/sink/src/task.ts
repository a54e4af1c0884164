/**
 * Stores the predictions of one partition. Batches wait in line while a transaction is under way, and go together into
 * the next one, up to `rowsMax` rows: a slow database makes larger transactions, and at last a paused partition. While
 * the database is away the transaction is tried again and again, and everything behind it waits.
 *
 * The offset in the database decides: it moves in the transaction that stores the rows, and only from where this task
 * knows it to be. Kafka's committed offset follows, for lag tools and for letters: a rejected record's offset is committed
 * only after its dead letter is acknowledged, so reading may begin below the stored offset. Of what lies below it, rows that are there are closed
 * without being written again; one that is not was refused by the database, and its dead letter may be missing too.
 */
import { Bad } from '@millrace/avro';
import { LIVE, type PredictionValue, REPLAY_RUN_HEADER, replayRunOf } from '@millrace/contracts';
import type { Outage } from '@millrace/runtime';
import type { InboundBatch, Outcomes, PartitionOffset, Task } from '@millrace/stream';
import { type Clock, type Metrics, processSpan, type Tracing } from '@millrace/telemetry';
import { storeHalving } from './halve.ts';
import type { Database, SinkPartition, StoredPrediction } from './postgres/database.ts';

export interface StoreTaskOptions {
  readonly pipeline: string;
  readonly at: SinkPartition;
  /** Offset stored next in the database when the task was created. */
  readonly storedNext: number;
  readonly rowsMax: number;
  readonly database: Pick<Database, 'store' | 'storedIds'>;
  /** Of the database, shared by all tasks. */
  readonly outage: Pick<Outage, 'ride'>;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** Aborted when the task has ended. */
  readonly signal: AbortSignal;
}

/** How often the stored offset is moved over a gap without records, at most. */
const GAP_MS_MIN = 60_000;

type Batch = InboundBatch<PredictionValue>;
type Out = Outcomes<Record<string, never>>;
interface Waiting {
  readonly batch: Batch;
  readonly out: Out;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What is known of the records of a group before it is stored. */
interface Group {
  readonly rows: StoredPrediction[];
  /** Offsets of those that are stored as they arrive: of a run, or replayed, they came long ago. */
  readonly live: Set<number>;
  readonly closings: ((bad: ReadonlyMap<number, string>) => void)[];
  next: number;
}

export class StoreTask implements Task<PredictionValue, Record<string, never>> {
  readonly #options: StoreTaskOptions;
  readonly #waiting: Waiting[] = [];
  #storedNext: number;
  #gapMovedAtMs = -Infinity;
  #writing = false;

  constructor(options: StoreTaskOptions) {
    this.#options = options;
    this.#storedNext = options.storedNext;
  }

  handle(batch: Batch, out: Out): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, out, resolve, reject });
      if (!this.#writing) void this.#drain();
    });
  }

  /**
   * Behind the last row may be offsets without records: markers of transactions, or what compaction took. Stored as read,
   * so that retention that takes them later is not taken for a loss.
   */
  onCaughtUp({ offset }: PartitionOffset): void {
    const { clock } = this.#options;
    if (this.#writing || offset <= this.#storedNext || clock.now() - this.#gapMovedAtMs < GAP_MS_MIN) return;
    this.#gapMovedAtMs = clock.now();
    this.#writing = true;
    void this.#store(offset, [])
      .catch(() => undefined) // No row depends on it; whoever stores the next one meets the same error.
      .then(() => this.#drain());
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

  async #storeGroup(waiting: readonly Waiting[]): Promise<void> {
    const { at, pipeline, clock, metrics, tracing } = this.#options;
    const { rows: read, live, closings, next } = this.#look(waiting);
    const rows = await this.#notStored(read);
    let bad: ReadonlyMap<number, string> = new Map();
    if (next > this.#storedNext || rows.length > 0) {
      const startedAt = clock.now();
      const { topic, partition } = at;
      const traceparents = rows.flatMap(({ prediction }) => prediction.traceparent ?? []);
      await processSpan(tracing, { topic, partition, rows: rows.length, traceparents }, async () => {
        bad = await this.#store(next, rows);
      });
      const now = clock.now();
      metrics.observe('millrace_sink_write_seconds', { table: 'predictions' }, (now - startedAt) / 1000);
      metrics.count('millrace_sink_rows_total', { table: 'predictions' }, rows.length - bad.size);
      for (const { prediction, offset } of rows)
        if (live.has(offset) && !bad.has(offset))
          metrics.observe(
            'millrace_end_to_end_seconds',
            { pipeline, step: 'stored' },
            (now - prediction.appendTime) / 1000,
          );
    }
    for (const close of closings) close(bad);
  }

  /** Nothing is closed yet: a record is, once the database has it. */
  #look(waiting: readonly Waiting[]): Group {
    const group: Group = { rows: [], live: new Set(), closings: [], next: this.#storedNext };
    for (const { batch, out } of waiting)
      for (let i = 0; i < batch.length; i++) {
        const offset = batch.offset(i);
        const value = batch.value(i);
        group.next = Math.max(group.next, offset + 1);
        if (value === null) group.closings.push(() => out.skip(i, 'tombstone'));
        else if (value instanceof Bad) group.closings.push(() => out.reject(i, value.reason, value));
        else {
          group.rows.push({ prediction: value, offset });
          const isReplayed = replayRunOf(batch.header(i, REPLAY_RUN_HEADER)) !== undefined;
          if (value.runId === LIVE && !isReplayed) group.live.add(offset);
          group.closings.push(bad => {
            const reason = bad.get(offset);
            if (reason === undefined) out.done(i);
            else out.reject(i, 'bad-value', new Bad('bad-value', reason));
          });
        }
      }
    return group;
  }

  async #notStored(rows: readonly StoredPrediction[]): Promise<readonly StoredPrediction[]> {
    const { database, outage, signal } = this.#options;
    const below = rows.filter(({ offset }) => offset < this.#storedNext);
    if (below.length === 0) return rows;
    const ids = below.map(({ prediction }) => prediction.predictionId);
    const stored = await outage.ride(() => database.storedIds(ids), { signal });
    return rows.filter(
      ({ prediction, offset }) => offset >= this.#storedNext || !stored.has(prediction.predictionId),
    );
  }

  async #store(next: number, rows: readonly StoredPrediction[]): Promise<ReadonlyMap<number, string>> {
    const { database, outage, at, pipeline, signal } = this.#options;
    const store = async (from: number, to: number, part: readonly StoredPrediction[]): Promise<void> => {
      await outage.ride(() => database.store(at, from, to, pipeline, part), { signal });
      this.#storedNext = to;
    };
    return storeHalving(store, this.#storedNext, next, rows);
  }
}
