import {
  BrokerError,
  type GroupMember,
  type OutRecord,
  type PartitionOffset,
  type TransactionalProducer,
} from '../broker/port.ts';
import { batchesOf, type PartitionBatches } from './batches.ts';
import {
  abandonCluster,
  clusterOf,
  type KafkaOptions,
  RETRY_MS_MAX,
  TRANSACTION_TIMEOUT_MS,
} from './connect.ts';
import { Coordinator, GROUP, TRANSACTION } from './coordinator.ts';
import { isPassing, isRefusedForNow, portError, typeOf } from './errors.ts';
import type { Cluster, Node } from './internals.ts';
import { retrying } from './retry.ts';
import { learn, type Sender, sendRounds } from './send.ts';
import { commitTxnOffsets, NO_MEMBER } from './txnOffsets.ts';

/** Kafka still writes the markers of the transaction before: it is asked again soon, the wait hardly grows. */
const CONCURRENT_MS_MIN = 2;
const CONCURRENT_MS_MAX = 50;
/** Share of its time-out after which we give a transaction up, so that never the broker does while we still send. */
const AGE_SHARE_MAX = 0.75;

interface Held extends Sender {
  readonly transactionalId: string;
}

/**
 * Holder of a transactional id: idle, open (partitions or offsets were added), or dead. Any error kills it, and a
 * request without an answer is an error: tried again, its twin could arrive in the next transaction and end that one.
 * What the broker refused was not executed, and is tried again in place, as long as the transaction is young enough.
 * One that grows too old is an error, too; it is aborted at once when nobody works on it.
 */
export class KafkaTransactionalProducer implements TransactionalProducer {
  readonly #cluster: Cluster;
  readonly #options: KafkaOptions;
  readonly #held: Held;
  readonly #coordinator: Coordinator;
  readonly #groups = new Map<string, Coordinator>();
  readonly #partitions = new Set<string>();
  readonly #offsetGroups = new Set<string>();
  #sending: Promise<unknown> = Promise.resolve();
  #steps = 0;
  /** While a transaction is open: when it will be too old. */
  #untilMs: number | undefined;
  #ageing = new AbortController();
  #dead: unknown;

  constructor(cluster: Cluster, coordinator: Coordinator, held: Held, options: KafkaOptions) {
    this.#cluster = cluster;
    this.#coordinator = coordinator;
    this.#held = held;
    this.#options = options;
  }

  send(records: readonly OutRecord[]): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    return this.#step('send', () => {
      const partitions = batchesOf(records);
      // One after the other: the order of records of a partition is the order of the calls.
      const sent = this.#sending.then(async () => {
        await this.#add(partitions);
        const options = { ...this.#options, retryMsMax: this.#leftMs() };
        await sendRounds(this.#cluster, this.#held, partitions, options, false);
      });
      this.#sending = sent.catch(() => undefined); // This send fails by it, and with it the producer.
      return sent;
    });
  }

  sendOffsets(of: string | GroupMember, offsets: readonly PartitionOffset[]): Promise<void> {
    if (offsets.length === 0) return Promise.resolve();
    const member = typeof of === 'string' ? { ...NO_MEMBER, group: of } : of;
    return this.#step('sendOffsets', async () => {
      const { group } = member;
      if (!this.#offsetGroups.has(group)) {
        this.#opened();
        await this.#ask(node => node.addOffsetsToTxn({ ...this.#ids(), groupId: group }));
        this.#offsetGroups.add(group);
      }
      const coordinator = this.#groups.get(group) ?? new Coordinator(this.#cluster, group, GROUP);
      this.#groups.set(group, coordinator);
      await this.#ask(node => commitTxnOffsets(node, { ...this.#ids(), ...member, offsets }), coordinator);
    });
  }

  commit(): Promise<void> {
    return this.#step('commit', () => this.#end(true));
  }

  abort(): Promise<void> {
    return this.#step('abort', () => this.#end(false));
  }

  async close(): Promise<void> {
    if (this.#dead === undefined)
      await this.#end(false).catch((error: unknown) => {
        const { message } = portError('close', error);
        this.#options.logger.info({ error: message }, 'closed without aborting: the time-out does');
      });
    this.#dead ??= 'closed';
    this.#ageing.abort(new Error('closed'));
    abandonCluster(this.#cluster);
  }

  async #step(what: string, step: () => Promise<void>): Promise<void> {
    const { transactionalId } = this.#held;
    if (this.#dead !== undefined)
      throw new BrokerError(`${what}: producer ${transactionalId} is dead`, {
        retriable: false,
        cause: this.#dead,
      });
    this.#steps++;
    try {
      if (this.#leftMs() <= 0) throw this.#tooOld();
      await step();
    } catch (error) {
      this.#dead ??= error;
      throw portError(`${what} of ${transactionalId}`, error);
    } finally {
      this.#steps--;
    }
  }

  /** Begins the age of a transaction, unless one is open. */
  #opened(): void {
    if (this.#untilMs !== undefined) return;
    const { clock, transactionTimeoutMs = TRANSACTION_TIMEOUT_MS } = this.#options;
    const ageMsMax = transactionTimeoutMs * AGE_SHARE_MAX;
    this.#untilMs = clock.now() + ageMsMax;
    this.#ageing = new AbortController();
    clock.sleep(ageMsMax, this.#ageing.signal).then(
      () => this.#expire(),
      () => undefined, // It ended in time.
    );
  }

  /** A step that is under way has the same limit, and whoever waits for it takes another producer, which aborts. */
  async #expire(): Promise<void> {
    this.#dead ??= this.#tooOld();
    if (this.#steps > 0) return;
    const { transactionalId } = this.#held;
    this.#options.logger.warn({ transactionalId }, 'an open transaction has grown too old: aborting it');
    await this.#end(false).catch(() => undefined); // Then the broker's time-out does it, or the next owner.
  }

  #tooOld(): BrokerError {
    const text = 'the transaction was open for too long, less would have to go into one';
    return new BrokerError(text, { retriable: true });
  }

  #leftMs(): number {
    const { clock, retryMsMax = RETRY_MS_MAX } = this.#options;
    return Math.min(retryMsMax, (this.#untilMs ?? Infinity) - clock.now());
  }

  async #add(partitions: readonly PartitionBatches[]): Promise<void> {
    const fresh = partitions.filter(({ topic, partition }) => !this.#partitions.has(`${topic}/${partition}`));
    if (fresh.length === 0) return;
    const byTopic = Map.groupBy(fresh, ({ topic }) => topic);
    await learn(this.#cluster, [...byTopic.keys()], this.#options);
    const topics = [...byTopic].map(([topic, of]) => ({
      topic,
      partitions: of.map(({ partition }) => partition),
    }));
    // Counted as open before the answer: an abort must be sent also for what was added without our hearing of it.
    this.#opened();
    for (const { topic, partition } of fresh) this.#partitions.add(`${topic}/${partition}`);
    const add = (some: typeof topics): Promise<unknown> =>
      this.#ask(node => node.addPartitionsToTxn({ ...this.#ids(), topics: some }));
    try {
      await add(topics);
    } catch (error) {
      if (typeOf(error) !== 'OPERATION_NOT_ATTEMPTED') throw error;
      // One of them was refused and the others were not looked at: each alone, so that the reason is heard.
      for (const one of topics) await add([one]);
    }
  }

  async #end(transactionResult: boolean): Promise<void> {
    if (this.#partitions.size === 0 && this.#offsetGroups.size === 0) return;
    await this.#ask(node => node.endTxn({ ...this.#ids(), transactionResult }));
    this.#partitions.clear();
    this.#offsetGroups.clear();
    this.#untilMs = undefined;
    this.#ageing.abort(new Error('the transaction has ended'));
  }

  #ids() {
    const { transactionalId, producerId, producerEpoch } = this.#held;
    return { transactionalId, producerId, producerEpoch };
  }

  #ask<T>(request: (node: Node) => Promise<T>, coordinator = this.#coordinator): Promise<T> {
    return retrying(() => coordinator.ask(request), {
      clock: this.#options.clock,
      again: isRefusedForNow,
      forMs: this.#leftMs(),
      waitMsMin: CONCURRENT_MS_MIN,
      waitMsMax: CONCURRENT_MS_MAX,
    });
  }
}

/** Takes the transactional id over: earlier holders are fenced, and their open transaction is finished. */
export const transactionalProducer = async (
  transactionalId: string,
  options: KafkaOptions,
): Promise<KafkaTransactionalProducer> => {
  const { clock, retryMsMax = RETRY_MS_MAX, transactionTimeoutMs = TRANSACTION_TIMEOUT_MS } = options;
  const cluster = clusterOf(options);
  const coordinator = new Coordinator(cluster, transactionalId, TRANSACTION);
  try {
    const { producerId, producerEpoch } = await retrying(
      () =>
        coordinator.ask(node =>
          node.initProducerId({ transactionalId, transactionTimeout: transactionTimeoutMs }),
        ),
      { clock, again: isPassing, forMs: retryMsMax, waitMsMax: CONCURRENT_MS_MAX },
    );
    const held = { transactionalId, producerId, producerEpoch, sequences: new Map<string, number>() };
    return new KafkaTransactionalProducer(cluster, coordinator, held, options);
  } catch (error) {
    abandonCluster(cluster);
    throw portError(`fence ${transactionalId}`, error);
  }
};
