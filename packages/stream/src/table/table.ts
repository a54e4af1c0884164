import type { Codec } from '@millrace/avro';
import type { Clock, Logger, Metrics } from '@millrace/telemetry';
import type { Broker } from '../broker/port.ts';
import type { RetryOptions } from '../processor/options.ts';

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
  throw new Error(`not built yet: table of ${options.topic}`);
}
