/**
 * What Millrace asks of a Kafka cluster. Two adapters, `kafka/` and `memory/`, are held to one contract suite
 * (`test/broker/contract.ts`). Offsets are numbers: exact to 2^53, some 285 years at a million records a second.
 *
 * Every method throws for a bad world. `FencedError` (a newer owner holds our transactional id, or the group moved on
 * without us) means: drop the work; `BrokerError.retriable` says whether the same call may help later.
 */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
}

/** Where something lies in bytes that it shares with others; filled anew for each. */
export interface BytesPlace {
  bytes: Uint8Array;
  from: number;
  to: number;
}

/** One fetched run of one partition, in offset order. A view over bytes that stay valid as long as the run is referenced. */
export interface RecordRun extends TopicPartition {
  readonly length: number;
  /** Bytes of all keys and values. */
  readonly bytes: number;
  /** Offset to fetch next: past the last record and past any gap (control records, compaction) that followed it. */
  readonly nextOffset: number;
  /** End of the partition as the broker saw it at the fetch (last stable offset for read_committed readers). */
  readonly highWatermark: number;
  offset(i: number): number;
  /** Broker append time, milliseconds since the epoch. */
  appendTimeMs(i: number): number;
  key(i: number): Uint8Array | null;
  value(i: number): Uint8Array | null;
  /** Says where a key lies, without a view of it. False: there is none. An adapter may do without. */
  keyIn?(i: number, place: BytesPlace): boolean;
  /** The same of a value. Codecs take nothing but Buffers for bytes: where they lie is one. */
  valueIn?(i: number, place: BytesPlace): boolean;
  /**
   * The next record behind `i` whose value does not begin with the same so many bytes, or `length`; told without a view of
   * any. An adapter may do without.
   */
  nextUnlike?(i: number, bytes: number): number;
  header(i: number, name: string): Uint8Array | undefined;
  /** All headers in order; a name may occur twice. */
  headers(i: number): readonly (readonly [string, Uint8Array])[];
}

export interface OutRecord extends TopicPartition {
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly (readonly [string, Uint8Array])[];
}

export interface Broker {
  readonly admin: Admin;
  /** Idempotent, acks=all. There is no plain producer. */
  producer(): Promise<Producer>;
  /** Fences every earlier holder of the id and finishes its open transaction before it resolves. */
  transactionalProducer(transactionalId: string): Promise<TransactionalProducer>;
  /**
   * Joins a consumer group; runs arrive at the listener until `leave`. Reads committed records only. The listener hears
   * nothing before this has resolved. Rejects where a topic does not exist.
   */
  join(options: GroupOptions, listener: GroupListener): Promise<Membership>;
  /**
   * Reads partitions without a group, read_committed, from `from` (default: the beginning).
   * With `until` the iteration ends once every partition has been read to its offset (exclusive; gaps count as read);
   * without it, it follows the topic until the signal is aborted. A run of length 0 may be yielded to report progress.
   */
  read(options: ReadOptions): AsyncIterable<RecordRun>;
  close(): Promise<void>;
}

export interface ReadOptions {
  readonly from: readonly PartitionOffset[] | { readonly topic: string; readonly at: 'beginning' };
  readonly until?: readonly PartitionOffset[];
  /** As a group's. */
  readonly fetchLingerMs?: number;
  readonly signal?: AbortSignal;
}

export interface Producer {
  /** Resolves when every record is acknowledged by all in-sync replicas. Order per partition is kept. */
  send(records: readonly OutRecord[]): Promise<void>;
  close(): Promise<void>;
}

/** One open transaction at a time. After any error the producer is dead: close it and take a new one. */
export interface TransactionalProducer {
  send(records: readonly OutRecord[]): Promise<void>;
  /**
   * Adds consumed offsets (the NEXT offset to read) of a group to the transaction; may run beside its sends.
   * @param of the member that has consumed them: refused with `FencedError` where it is none any more in that generation.
   *   A name alone is of a group of which nobody asks that.
   */
  sendOffsets(of: string | GroupMember, offsets: readonly PartitionOffset[]): Promise<void>;
  /**
   * Ends the transaction opened by the first send since the last commit. An error means: outcome unknown. Readers may
   * see the records some milliseconds later.
   */
  commit(): Promise<void>;
  abort(): Promise<void>;
  close(): Promise<void>;
}

export interface GroupOptions {
  readonly group: string;
  /** All inputs of a service. Topics of equal partition count are co-partitioned: one member owns p of all of them. */
  readonly topics: readonly string[];
  readonly sessionTimeoutMs?: number;
  readonly rebalanceTimeoutMs?: number;
  /** Longest the broker waits for data before answering an empty fetch. Default 100. */
  readonly fetchWaitMsMax?: number;
  /**
   * The broker waits for so many bytes of all partitions together, `fetchWaitMsMax` at most, before it answers. A pace only:
   * an adapter may do without. Default 1.
   */
  readonly fetchBytesMin?: number;
  /** Waits so long between two fetches of which the first brought little. A pace only: an adapter may do without. Default 0. */
  readonly fetchLingerMs?: number;
  readonly fetchBytesPerPartitionMax?: number;
}

export interface GroupListener {
  /**
   * A new generation began: everything delivered before is void, also for partitions kept. Runs for these partitions
   * follow only after it settles. `positions` are where reading starts: the committed offset, else the beginning.
   * Where a transactional id is fenced in here, read the committed offsets again after it and `seek`: the predecessor's
   * last transaction may have ended in between. A further generation may begin before it has settled: it is called
   * again at once, and what the earlier call still does counts no more. A rejection ends the membership (`failed`).
   */
  assigned(assignment: {
    readonly generation: number;
    readonly positions: readonly PartitionOffset[];
  }): Promise<void>;
  /** Called in order per partition; must not block: to slow down, `pause`. At most one fetched run arrives after a pause. */
  run(run: RecordRun): void;
  /** The partition was read to `offset`, and there was nothing more then. Called at every empty fetch. */
  caughtUp?(at: PartitionOffset): void;
  /** The membership cannot go on. */
  failed(error: Error): void;
}

/** A member of a group in one generation. */
export interface GroupMember {
  readonly group: string;
  readonly generation: number;
  readonly memberId: string;
}

export interface Membership {
  readonly generation: number;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** Next offset to deliver; runs already fetched past it are dropped. */
  seek(to: PartitionOffset): void;
  /** Commits for the current generation. @throws FencedError when the group has moved on. */
  commit(offsets: readonly PartitionOffset[]): Promise<void>;
  /** Who we are in this generation: with it whoever is told decides. @throws FencedError where we are no member just now. */
  member(): GroupMember;
  /** Proves that we are still a member of this generation. @throws FencedError when not. */
  heartbeat(): Promise<void>;
  /** Leaves at once, so that the others need not wait for the session to end. Idempotent. */
  leave(): Promise<void>;
}

export interface TopicConfig {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor?: number;
  readonly config?: Readonly<Record<string, string>>;
}

export interface TopicDescription {
  readonly name: string;
  /** Kafka's topic id: a recreated topic has another one. */
  readonly id: string;
  readonly partitions: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface Admin {
  clusterId(): Promise<string>;
  /** Creates those that do not exist; returns the names created once their leaders are seen. */
  createTopics(topics: readonly TopicConfig[]): Promise<readonly string[]>;
  alterTopic(name: string, config: Readonly<Record<string, string>>): Promise<void>;
  deleteTopics(names: readonly string[]): Promise<void>;
  /** Topics that exist among `names`; all that are not internal to Kafka without it. */
  describeTopics(names?: readonly string[]): Promise<readonly TopicDescription[]>;
  beginningOffsets(topic: string): Promise<readonly PartitionOffset[]>;
  /**
   * End offsets.
   * @param of `committed` (the default): the last stable ones, before which every transaction has ended. `written`: those
   *   of all records, to which a reader of committed ones comes when the transactions that are open now have ended
   */
  endOffsets(topic: string, of?: 'committed' | 'written'): Promise<readonly PartitionOffset[]>;
  /** First offset with an append time at or after the time, per partition; the end where there is none. */
  offsetsAtTime(topic: string, timeMs: number): Promise<readonly PartitionOffset[]>;
  /**
   * Committed offsets of a group; a partition without one is absent. A transaction's offsets may be missing for some
   * milliseconds after its commit has resolved; fencing its transactional id waits for them.
   * @param ofTask only those of one task, and refused (`retriable`) while a transaction holds offsets of it: after fencing
   *   there is none, unless Kafka has lost the end of one
   */
  committed(group: string, topics: readonly string[], ofTask?: number): Promise<readonly PartitionOffset[]>;
  /** Sets a group's offsets; refused with `BrokerError` while it has members. */
  resetOffsets(group: string, offsets: readonly PartitionOffset[]): Promise<void>;
  groupMembers(group: string): Promise<number>;
}

/** A bad world. `retriable`: the same call may succeed later. */
export class BrokerError extends Error {
  readonly retriable: boolean;
  constructor(message: string, options: { retriable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'BrokerError';
    this.retriable = options.retriable;
  }
}

/** Kafka does not let us in, or not do this. No attempt changes that, only a person; the message says how. */
export class RefusedError extends BrokerError {
  constructor(message: string, cause?: unknown) {
    super(message, { retriable: false, cause });
    this.name = 'RefusedError';
  }
}

/** Somebody newer owns what we worked on: drop the work, keep nothing of it. */
export class FencedError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'FencedError';
  }
}
