import { Bad, type Codec } from '@millrace/avro';
import {
  type Clock,
  type Logger,
  type Metrics,
  noLogger,
  noMetrics,
  systemClock,
  systemRandom,
} from '@millrace/telemetry';
import type { Broker, PartitionOffset, RecordRun } from '../broker/port.ts';
import { Absence, isAbsence } from '../processor/absence.ts';
import { Backoff } from '../processor/backoff.ts';
import { RETRY_DEFAULT, type RetryOptions } from '../processor/options.ts';
import { asError, isOwnDefect, placeOf } from '../processor/trouble.ts';
import { framesOf } from '../processor/view.ts';

export interface GlobalTableOptions<T> {
  readonly name?: string;
  readonly broker: Broker;
  /** A compacted topic: the newest record of a key is the row, a tombstone deletes it. */
  readonly topic: string;
  readonly codec: Codec<T>;
  /** Row key of a record key; default: its UTF-8 text. */
  readonly key?: (bytes: Uint8Array) => string;
  readonly retry?: Partial<RetryOptions>;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/** A whole compacted topic in memory, followed by every instance. */
export interface GlobalTable<T> {
  readonly name: string;
  /** Resolves when everything that was in the topic at the call has been read. */
  start(signal: AbortSignal): Promise<void>;
  /**
   * The same of a table that is followed: afterwards it knows whatever anybody knew who had read the topic before the
   * call. @throws what Kafka answers, and where the signal is aborted
   */
  catchUp(signal: AbortSignal): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
  notReady(): string | undefined;
  readonly failed: Promise<never>;
  get(key: string): T | undefined;
  entries(): Iterable<readonly [string, T]>;
  readonly size: number;
  /** Called after each change, in topic order; undefined when the row was deleted. Returns how to stop listening. */
  onChange(listener: (key: string, value: T | undefined) => void): () => void;
}

export function globalTable<T>(options: GlobalTableOptions<T>): GlobalTable<T> {
  return new FollowedTable(options);
}

const decoder = new TextDecoder();
/** A table that many write to is followed by some of its changes at a time. */
const FETCH_LINGER_MS = 10;
/** A table has one reader. */
const READER = 0;

/**
 * States: created → filling (reading to the ends seen at the start) → following → stopped. After an error it goes on
 * from where it was, with backoff; when the budget is spent, `start` or `failed` rejects. While it follows, a Kafka that is
 * away spends none of it.
 */
class FollowedTable<T> implements GlobalTable<T> {
  readonly name: string;
  readonly failed: Promise<never>;
  readonly #options: GlobalTableOptions<T>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #backoff: Backoff;
  readonly #absence: Absence;
  readonly #failure = Promise.withResolvers<never>();
  readonly #stopping = new AbortController();
  readonly #rows = new Map<string, T>();
  readonly #listeners = new Set<(key: string, value: T | undefined) => void>();
  readonly #positions = new Map<number, number>();
  #state: 'created' | 'filling' | 'following' | 'stopped' = 'created';
  #following: Promise<void> = Promise.resolve();

  constructor(options: GlobalTableOptions<T>) {
    this.#options = options;
    this.name = options.name ?? `table ${options.topic}`;
    this.#clock = options.clock ?? systemClock;
    this.#logger = (options.logger ?? noLogger).child({ table: options.topic });
    this.#metrics = options.metrics ?? noMetrics;
    this.#backoff = new Backoff({ ...RETRY_DEFAULT, ...options.retry }, options.random ?? systemRandom);
    this.#absence = new Absence({ clock: this.#clock, logger: this.#logger, metrics: this.#metrics });
    this.failed = this.#failure.promise;
    this.failed.catch(() => undefined); // It may fail before anybody listens.
  }

  get size(): number {
    return this.#rows.size;
  }

  get(key: string): T | undefined {
    return this.#rows.get(key);
  }

  entries(): Iterable<readonly [string, T]> {
    return this.#rows.entries();
  }

  onChange(listener: (key: string, value: T | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(signal: AbortSignal): Promise<void> {
    this.#state = 'filling';
    const both = AbortSignal.any([signal, this.#stopping.signal]);
    await this.#persist(both, async () => {
      const { broker, topic } = this.#options;
      await this.#read(await broker.admin.endOffsets(topic), both);
    });
    this.#state = 'following';
    this.#logger.info({ rows: this.#rows.size }, 'the table is filled');
    const { signal: stopping } = this.#stopping;
    this.#following = this.#persist(stopping, () => this.#read(undefined, stopping)).catch(
      (error: unknown) => {
        if (!stopping.aborted) this.#failure.reject(asError(error));
      },
    );
  }

  async catchUp(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#stopping.signal]);
    const { broker, topic } = this.#options;
    const ends = await broker.admin.endOffsets(topic);
    if (ends.some(({ partition, offset }) => offset > (this.#positions.get(partition) ?? 0)))
      await this.#read(ends, both);
    both.throwIfAborted();
  }

  async stop(deadlineMs: number): Promise<void> {
    this.#state = 'stopped';
    this.#stopping.abort(new Error(`${this.name} is stopped`));
    const timer = new AbortController();
    const tooLate = this.#clock.sleep(deadlineMs, timer.signal).catch(() => undefined); // In time.
    await Promise.race([this.#following, tooLate]);
    timer.abort(new Error('stopped in time'));
  }

  notReady(): string | undefined {
    if (this.#state !== 'following') return `${this.name} is ${this.#state}`;
    const away = this.#absence.notReady();
    return away && `${this.name} ${away}`;
  }

  /**
   * Repeats the attempt until it succeeds, the signal is aborted (rejects), or the budget is spent (rejects). A filled
   * table waits without end for Kafka to come back; one that is being filled does not, so that a start has an end.
   */
  async #persist(signal: AbortSignal, attempt: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await attempt();
        signal.throwIfAborted();
        return;
      } catch (error) {
        signal.throwIfAborted();
        const delayMs = this.#delayAfter(error);
        if (delayMs === undefined) throw error;
        this.#metrics.count('millrace_retries_total', { what: 'table' });
        await this.#clock.sleep(delayMs, signal);
      }
    }
  }

  /** @returns undefined where another attempt would not help, or the budget is spent. */
  #delayAfter(error: unknown): number | undefined {
    const nowMs = this.#clock.now();
    if (this.#state === 'following' && isAbsence(error)) {
      this.#absence.isMissedBy(READER, error);
      return this.#backoff.absent(nowMs);
    }
    const delayMs = isOwnDefect(error) ? undefined : this.#backoff.failed(nowMs);
    if (delayMs !== undefined) this.#logger.warn({ error: placeOf(error) }, asError(error).message);
    return delayMs;
  }

  /** Reads on from where it is, to the ends, or for ever. */
  async #read(until: readonly PartitionOffset[] | undefined, signal: AbortSignal): Promise<void> {
    const { broker, topic, codec } = this.#options;
    const beginnings = await broker.admin.beginningOffsets(topic);
    this.#absence.isOverFor(READER);
    // Compaction leaves gaps and never moves the beginning past what matters; retention may.
    const from = beginnings.map(({ partition, offset }) => ({
      topic,
      partition,
      offset: Math.max(offset, this.#positions.get(partition) ?? 0),
    }));
    const how = until === undefined ? { fetchLingerMs: FETCH_LINGER_MS } : { until };
    for await (const run of broker.read({ from, signal, ...how })) {
      await codec.prepare(framesOf(run));
      this.#apply(run);
      this.#backoff.succeeded();
    }
  }

  /** Each record once, also where two read at a time: rows never go back to what they were. */
  #apply(run: RecordRun): void {
    const keyOf = this.#options.key ?? ((bytes: Uint8Array) => decoder.decode(bytes));
    const position = this.#positions.get(run.partition) ?? 0;
    if (run.nextOffset > position) this.#positions.set(run.partition, run.nextOffset);
    for (let i = 0; i < run.length; i++) {
      if (run.offset(i) < position) continue;
      const key = run.key(i);
      const bytes = run.value(i);
      const value = bytes === null ? undefined : this.#options.codec.decode(bytes);
      // A row that cannot be read leaves the one before it in force: better known than nothing.
      if (key === null || value instanceof Bad) this.#refuse(run, i, value);
      else this.#change(keyOf(key), value);
    }
  }

  #change(key: string, value: T | undefined): void {
    if (value === undefined) this.#rows.delete(key);
    else this.#rows.set(key, value);
    for (const listener of this.#listeners) listener(key, value);
  }

  #refuse(run: RecordRun, i: number, value: unknown): void {
    const why = value instanceof Bad ? value.message : 'the record has no key';
    this.#logger.warn({ topic: run.topic, partition: run.partition, offset: run.offset(i) }, why);
  }
}
