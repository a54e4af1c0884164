import type { Codec } from '@millrace/avro';
import type { Clock, Logger, Metrics } from '@millrace/telemetry';
import type { Broker } from '../broker/port.ts';
import type { StateStore } from '../state/store.ts';
import type { RejectReason, Task, TaskContext } from '../task.ts';

/**
 * How results reach Kafka.
 * - `exactly_once`: outputs, changelog, dead letters and offsets of a task in one transaction. Needed for state.
 * - `at_least_once`: outputs are acknowledged, then offsets are committed; a redelivery repeats outputs.
 * - `external`: the task keeps its offsets in a database of its own and closes a record when that has it; offsets
 *   committed to Kafka only mirror. Dead letters and outputs are sent before the mirror moves, so a task that seeks no
 *   further than `positions` repeats those that a crash swallowed.
 */
export type Delivery = 'exactly_once' | 'at_least_once' | 'external';

/** How much one partition may hold, read and not yet committed: reading pauses at the high mark, goes on at the low. */
export interface LaneMarks {
  readonly rowsHigh: number;
  readonly rowsLow: number;
  readonly bytesHigh: number;
  readonly bytesLow: number;
}

export interface InputOptions<In> {
  readonly topic: string;
  readonly codec: Codec<In>;
  /** `unbounded`: for repartition inputs, whose lanes are interleaved, so that a pause would hold back the laggard. */
  readonly lane?: LaneMarks | 'unbounded';
}

export interface OutputOptions<Value> {
  readonly topic: string;
  /** Without it only bytes and tombstones can be emitted. */
  readonly codec?: Codec<Value>;
}

/**
 * A commit is cut when the interval has passed since the first uncommitted change, or a mark is reached. What commits
 * cost may lower the mark of records (`commitSize.ts`).
 */
export interface CommitOptions {
  readonly intervalMs: number;
  /** Closings and outputs gathered: the highest mark. */
  readonly recordsMax: number;
  /** Bytes of outputs and state gathered. */
  readonly bytesMax: number;
  /** Without a commit for so long, offsets are moved over gaps alone. Retention must be longer. */
  readonly quietMs: number;
}

/** How long a bad world is borne by one task without a successful commit, before the process ends. */
export interface RetryOptions {
  readonly attemptsMax: number;
  readonly delayMsFirst: number;
  readonly delayMsMax: number;
  readonly totalMsMax: number;
}

/**
 * What becomes of a rejected record.
 * - `dead-letter`: it goes to the dead letter topic of its input, with its offset, and the lane goes on.
 * - `hold`: it stays open and its lane stands still; it is handed over again until the task can use it.
 * - `stop`: the processor fails before it commits the record, and so the process ends.
 */
export type RejectPolicy = 'dead-letter' | 'hold' | 'stop';
export type RejectPolicies = Readonly<Partial<Record<RejectReason, RejectPolicy>>>;

export interface ProcessorOptions<In, Out extends object> {
  /** For logs and readiness; default: the group. */
  readonly name?: string;
  readonly broker: Broker;
  readonly group: string;
  /** Topics of equal partition count: partition p of all of them is task p. */
  readonly inputs: readonly InputOptions<In>[];
  readonly outputs: { readonly [K in keyof Out & string]: OutputOptions<Out[K]> };
  /** How many partitions the inputs must have; without it, only that they have equally many. */
  readonly partitions?: number;
  readonly delivery: Delivery;
  /** Compacted topic of the keyed state, with the inputs' partition count. Only with `exactly_once`. */
  readonly changelog?: string;
  /** Opens the local store of a task; default: memory. It is closed when the task's partition is lost. */
  readonly openStore?: (task: number) => StateStore | Promise<StateStore>;
  readonly createTask: (context: TaskContext<Out>) => Task<In, Out> | Promise<Task<In, Out>>;
  readonly commit?: Partial<CommitOptions>;
  /** Interval of `onTime`. */
  readonly tickMs?: number;
  readonly retry?: Partial<RetryOptions>;
  /** Longest that a task with records to work on may commit nothing, before the process ends with the reason. Default 60,000. */
  readonly stallMsMax?: number;
  /**
   * What a task waits for outside of itself with a stated behaviour (a database that is away, another task that has a
   * watchdog of its own): while it says something, standing still is no stall.
   */
  readonly waitsFor?: (task: number) => string | undefined;
  /** Name of the dead letter topic of an input; default `<topic>.dlq`. */
  readonly deadLetters?: (inputTopic: string) => string;
  /** By reason; default `dead-letter`. A task that keeps its own offsets (`external`) must not hold: they pass the record. */
  readonly rejects?: RejectPolicies;
  /** Longest a stop waits for open handlers; what is closed by then is committed, the rest is read again by the next owner. */
  readonly drainMsMax?: number;
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  readonly fetchWaitMsMax?: number;
  readonly fetchBytesMin?: number;
  readonly fetchLingerMs?: number;
  readonly fetchBytesPerPartitionMax?: number;
  readonly clock?: Clock;
  /** Uniform in [0, 1): jitter of retries. */
  readonly random?: () => number;
  readonly metrics?: Metrics;
  readonly logger?: Logger;
}

/** The shape of a runtime component; this package may not name that one. */
export interface Processor {
  readonly name: string;
  /** Resolves when the group has been joined; tasks then come and go with assignments. */
  start(signal: AbortSignal): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
  notReady(): string | undefined;
  readonly failed: Promise<never>;
}

export const LANE_DEFAULT: LaneMarks = {
  rowsHigh: 20_000,
  rowsLow: 10_000,
  bytesHigh: 16 * 1024 * 1024,
  bytesLow: 8 * 1024 * 1024,
};
export const COMMIT_DEFAULT: CommitOptions = {
  intervalMs: 100,
  recordsMax: 5_000,
  bytesMax: 8 * 1024 * 1024,
  quietMs: 300_000,
};
export const RETRY_DEFAULT: RetryOptions = {
  attemptsMax: 100,
  delayMsFirst: 50,
  delayMsMax: 5_000,
  totalMsMax: 300_000,
};
/** Waits before a record on hold is handed over again: doubling from the first to the longest, without an end. */
export const HOLD_MS_FIRST = 1_000;
export const HOLD_MS_MAX = 30_000;
export const STALL_MS_MAX_DEFAULT = 60_000;
export const TICK_MS_DEFAULT = 100;
export const DRAIN_MS_MAX_DEFAULT = 5_000;
