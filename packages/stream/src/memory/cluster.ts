import type { Clock } from '@millrace/telemetry';
import {
  BrokerError,
  FencedError,
  type OutRecord,
  type PartitionOffset,
  type TopicPartition,
  type TopicConfig,
} from '../broker/port.ts';
import { ConsumerGroup } from './group.ts';
import { PartitionLog, type Transaction } from './log.ts';

export interface MemoryTopic {
  readonly name: string;
  readonly id: string;
  readonly logs: readonly PartitionLog[];
  config: Readonly<Record<string, string>>;
}

/** What the transaction coordinator knows of one transactional id. */
export interface Holder {
  epoch: number;
  open: OpenTransaction | undefined;
}

interface OpenTransaction {
  readonly transaction: Transaction;
  readonly logs: Set<PartitionLog>;
  readonly offsets: { readonly group: string; readonly offset: PartitionOffset }[];
  readonly ended: AbortController;
}

/** One step of the broker's work, as a schedule sees it. */
export interface Step {
  /** On its way to the cluster, on its way back, told unasked, or the cluster's own. */
  readonly kind: 'request' | 'answer' | 'delivery' | 'work';
  /** Who asked or is told; undefined for the cluster's own work. */
  readonly client: string | undefined;
  readonly what: string;
}

export interface Network {
  /** Runs a step later. */
  readonly schedule: (step: () => void, of: Step) => void;
  /** Whether this request never arrives, or this answer of one that did: the caller gets an error either way. */
  readonly loses: (of: Step) => boolean;
  /** Records of one fetched run at most. */
  readonly runRecordsMax: number;
}

const RECORD_BYTES_MAX = 1_048_576;
const RECORD_OVERHEAD_BYTES = 80;

/** The state that brokers share: topics, transactions, groups. Every change is made in one synchronous stretch. */
export class MemoryCluster {
  readonly clock: Clock;
  readonly schedule: Network['schedule'];
  readonly loses: Network['loses'];
  readonly runRecordsMax: number;
  readonly topics = new Map<string, MemoryTopic>();
  readonly #holders = new Map<string, Holder>();
  readonly #groups = new Map<string, ConsumerGroup>();
  readonly #watchers = new Set<() => void>();
  #topicsMade = 0;

  constructor(clock: Clock, { schedule, loses, runRecordsMax }: Network) {
    this.clock = clock;
    this.schedule = schedule;
    this.loses = loses;
    this.runRecordsMax = runRecordsMax;
  }

  /** Calls back after every change that readers may see, until the function returned is called. */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  #changed(): void {
    for (const changed of this.#watchers) changed();
  }

  create({ name, partitions, config }: TopicConfig): boolean {
    if (this.topics.has(name)) return false;
    const id = `memory-topic-${++this.#topicsMade}`;
    const logs = Array.from({ length: partitions }, () => new PartitionLog());
    this.topics.set(name, { name, id, logs, config: { ...config } });
    return true;
  }

  topic(name: string): MemoryTopic {
    const topic = this.topics.get(name);
    if (topic === undefined) throw new BrokerError(`unknown topic ${name}`, { retriable: true });
    return topic;
  }

  log(name: string, partition: number): PartitionLog {
    const log = this.topic(name).logs[partition];
    if (log === undefined)
      throw new BrokerError(`unknown partition ${name}-${partition}`, { retriable: true });
    return log;
  }

  group(name: string): ConsumerGroup {
    let group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, (group = new ConsumerGroup(this)));
    return group;
  }

  append(records: readonly OutRecord[], open?: OpenTransaction): void {
    for (const record of records) {
      this.log(record.topic, record.partition);
      const headers = (record.headers ?? []).reduce((sum, [name, of]) => sum + name.length + of.length, 0);
      const bytes = RECORD_OVERHEAD_BYTES + (record.key?.length ?? 0) + (record.value?.length ?? 0) + headers;
      const bytesMax = Number(this.topic(record.topic).config['max.message.bytes'] ?? RECORD_BYTES_MAX);
      if (bytes > bytesMax)
        throw new BrokerError(`record of ${bytes} bytes for ${record.topic}: at most ${bytesMax}`, {
          retriable: false,
        });
    }
    for (const record of records) {
      const log = this.log(record.topic, record.partition);
      open?.logs.add(log);
      log.append([record], this.clock.now(), open?.transaction);
    }
    this.#changed();
  }

  /** A new holder of the id: the transaction of the one before is aborted. @returns its epoch. */
  fence(transactionalId: string): number {
    const holder = this.#holders.get(transactionalId) ?? { epoch: -1, open: undefined };
    this.#holders.set(transactionalId, holder);
    holder.epoch++;
    this.#end(holder, 'aborted');
    return holder.epoch;
  }

  /** The open transaction of the id, begun where there is none. @throws FencedError for an old epoch. */
  transaction(transactionalId: string, epoch: number, timeoutMs: number): OpenTransaction {
    const holder = this.#holder(transactionalId, epoch);
    if (holder.open !== undefined) return holder.open;
    const open: OpenTransaction = {
      transaction: { state: 'open' },
      logs: new Set(),
      offsets: [],
      ended: new AbortController(),
    };
    holder.open = open;
    this.clock.sleep(timeoutMs, open.ended.signal).then(
      () => this.fence(transactionalId),
      () => undefined, // Ended in time.
    );
    return open;
  }

  endTransaction(transactionalId: string, epoch: number, outcome: 'committed' | 'aborted'): void {
    this.#end(this.#holder(transactionalId, epoch), outcome);
  }

  #holder(transactionalId: string, epoch: number): Holder {
    const holder = this.#holders.get(transactionalId);
    if (holder === undefined || holder.epoch !== epoch)
      throw new FencedError(
        `a newer producer holds ${transactionalId} (epoch ${holder?.epoch}, ours ${epoch})`,
      );
    return holder;
  }

  #end(holder: Holder, outcome: 'committed' | 'aborted'): void {
    const { open } = holder;
    if (open === undefined) return;
    holder.open = undefined;
    open.transaction.state = outcome;
    for (const log of open.logs) log.endTransaction(open.transaction, this.clock.now());
    if (outcome === 'committed')
      for (const { group, offset } of open.offsets) this.group(group).store(offset);
    open.ended.abort(new Error('the transaction has ended'));
    this.#changed();
  }

  /** Whether a transaction that has not ended holds offsets of the partition for the group. */
  isUnstable(group: string, { topic, partition }: TopicPartition): boolean {
    return [...this.#holders.values()].some(({ open }) =>
      open?.offsets.some(
        held => held.group === group && held.offset.topic === topic && held.offset.partition === partition,
      ),
    );
  }

  delete(names: readonly string[]): void {
    for (const name of names) this.topics.delete(name);
    this.#changed();
  }

  compact(name: string, tombstones: 'keep' | 'drop'): void {
    for (const log of this.topic(name).logs) log.compact(tombstones);
    this.#changed();
  }

  /** Ends timers of transactions that nobody will end. */
  close(): void {
    for (const holder of this.#holders.values()) this.#end(holder, 'aborted');
  }
}
