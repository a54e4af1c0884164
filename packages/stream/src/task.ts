import type { Bad } from '@millrace/avro';
import type { BytesPlace, PartitionOffset, TopicPartition } from './broker/port.ts';
import type { SharedBytes } from './broker/shared.ts';

/** One fetched run of one partition, as a handler sees it: a view over bytes, valid until the handler's promise settles. */
export interface InboundBatch<In> extends TopicPartition {
  readonly length: number;
  offset(i: number): number;
  appendTimeMs(i: number): number;
  key(i: number): Uint8Array | null;
  /** Says where a key lies, without a view of it. False: there is none. What reads from elsewhere may do without. */
  keyIn?(i: number, place: BytesPlace): boolean;
  /** The same of a value. */
  valueIn?(i: number, place: BytesPlace): boolean;
  /** Null: a tombstone. */
  bytes(i: number): Uint8Array | null;
  header(i: number, name: string): Uint8Array | undefined;
  /** Decoded on demand, not cached; `Bad` is a value, never a throw. Null: a tombstone. */
  value(i: number): In | Bad | null;
}

export type SkipReason =
  'duplicate' | 'tombstone' | 'outside-slice' | 'by-rule' | 'applied' | 'other-run' | 'other-set';

export type RejectReason =
  | 'bad-frame'
  | 'unknown-schema'
  | 'bad-value'
  | 'too-large'
  | 'schema-mismatch'
  | 'wrong-key'
  | 'feature-mismatch'
  | 'stale-features'
  | 'scoring-failed'
  | 'handler-failed'
  | 'late';

/** Emits that belong to no single inbound record: from timers, or from a fold over many records. */
export interface Emitter<Out> {
  /**
   * Queues one outbound record. A value is encoded with the output's codec; bytes go out as they are.
   * Partition: given, else Kafka's murmur2 of the key.
   */
  emit<K extends keyof Out & string>(
    to: K,
    key: Uint8Array,
    value: Out[K] | Uint8Array | null,
    partition?: number,
  ): void;
  /** As `emit`, of a record in bytes that it shares with others: nothing but a place in them is kept of it. */
  put(to: keyof Out & string, at: SharedBytes): void;
}

/** Any number of emits, then exactly one closing answer per index; the processor asserts it. */
export interface Outcomes<Out> extends Emitter<Out> {
  /** Emits on behalf of record `i`: committed with the offset that closes it. */
  emitFor<K extends keyof Out & string>(
    i: number,
    to: K,
    key: Uint8Array,
    value: Out[K] | Uint8Array | null,
    partition?: number,
  ): void;
  /**
   * `emitFor` and `done` in one, for records that have one answer, in bytes that those of a batch share: nothing but a
   * place in them is kept of it.
   */
  answer(i: number, to: keyof Out & string, at: SharedBytes): void;
  done(i: number): void;
  skip(i: number, reason: SkipReason): void;
  /** Sends the record to the dead letter topic of its input: original key, bytes and headers, with the reason. */
  reject(i: number, reason: RejectReason, cause?: unknown): void;
}

/**
 * One per assigned set of co-partitioned partitions (`id` is their partition number); created on assignment, thrown away
 * whole on revocation and on any failure of its transaction, then created again from what was committed.
 *
 * `handle` may be called again before an earlier promise has settled; per partition the calls come in order. A record
 * stays open until its closing answer; what is committed per partition is the lowest offset still open, else the
 * position. `emitFor` output of a record is committed once every earlier record of its partition is closed too; plain
 * `emit` output with the next commit. Emits, state changes and closings made in one synchronous stretch are committed
 * together, never apart; only what records close with nothing but `emitFor` output is divided between records where it
 * is too much for one commit.
 */
export interface Task<In, Out> {
  handle(batch: InboundBatch<In>, out: Outcomes<Out>, signal: AbortSignal): Promise<void>;
  /** Called every `tickMs` with the handed-in clock, also without input. */
  onTime?(nowMs: number): void | Promise<void>;
  /** The partition was read to this offset, and there was nothing more then. */
  onCaughtUp?(at: PartitionOffset): void;
  onRevoke?(): void | Promise<void>;
}

export interface TaskContext<Out> {
  /** Partition number shared by all inputs of this task. */
  readonly id: number;
  readonly generation: number;
  /** Where reading starts, per input partition. A sink that keeps its own offsets moves it with `seek`. */
  readonly positions: readonly PartitionOffset[];
  readonly out: Emitter<Out>;
  /** Keyed state of this task; present when the processor has a changelog topic. Restored before the task is created. */
  readonly state: KeyedState;
  /** Aborted when the task is revoked, failed or stopped: results that come later are dropped. */
  readonly signal: AbortSignal;
  seek(to: PartitionOffset): void;
  /** Slows reading of one input partition, independent of the lane's own marks. Idempotent. */
  pause(at: TopicPartition): void;
  resume(at: TopicPartition): void;
  /** Asks for a commit now instead of at the next interval (an epoch closed, somebody waits for it). */
  commitSoon(): void;
  /** Ends the process after a bad world that the task cannot mend. */
  fail(error: Error): void;
}

/** Keyed bytes of one task: what is not committed over its store, every change also a record of the compacted changelog topic. */
export interface KeyedState {
  /** Good until the running code gives way or changes state, as all that is read here. */
  get(key: string): Uint8Array | undefined;
  /** Keeps a copy. */
  put(key: string, value: Uint8Array): void;
  delete(key: string): void;
  entries(): Iterable<readonly [string, Uint8Array]>;
  /**
   * Entries whose keys are alike up to and with their last `\0`, which is where `group` ends: what belongs to one
   * entity is read without looking at the rest.
   */
  inGroup(group: string): Iterable<readonly [string, Uint8Array]>;
  /**
   * Goes on with an endless walk over all committed keys, one walk for each prefix, by `max` keys, and names those of
   * them that begin with it: for work that has to come by every entry some day. A key may have been deleted meanwhile.
   */
  nextKeys(prefix: string, max: number): readonly string[];
  readonly size: number;
}
