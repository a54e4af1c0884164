import { FencedError, type TransactionalProducer } from '../broker/port.ts';
import { acknowledged } from '../broker/shared.ts';
import type { Courier, Shipment } from './delivery.ts';
import type { Group } from './setting.ts';

/** What tasks ship in one transaction at most, unless one alone has more. */
const TOGETHER_RECORDS_MAX = 20_000;
/** After a transaction has failed, so many shipments go alone: a task that Kafka refuses shall not take others along. */
const APART_SHIPMENTS = 100;

/** One task, for as long as it holds its transactional id. */
interface Holder {
  readonly producer: TransactionalProducer;
  readonly generation: number;
  /** The last transaction that went through its producer. */
  led: number;
}

interface Waiting {
  readonly holder: Holder;
  readonly shipment: Shipment;
  readonly signal: AbortSignal;
  readonly step: (to: 'begun' | 'sent') => void;
  readonly shipped: PromiseWithResolvers<void>;
}

/**
 * Transactions of all tasks of a process: outputs, changelog, dead letters and offsets of whatever tasks have to ship
 * while the transaction before is under way go in one, through the producer of one of them. Each task still holds a
 * transactional id, which its heir fences, but its work may lie in a transaction of another. So what keeps a zombie from
 * committing is that every shipment has offsets, and that those say which member has consumed them in which generation:
 * Kafka refuses them once the group has moved on, and lets an heir read none of a task while a transaction holds some.
 */
export class SharedTransactions {
  readonly #member: Group;
  #waiting: Waiting[] = [];
  #underWay = 0;
  #looking = false;
  #apart = 0;
  #begun = 0;

  constructor(member: Group) {
    this.#member = member;
  }

  courier(producer: TransactionalProducer, generation: number): Courier {
    const holder = { producer, generation, led: 0 };
    return {
      ship: (shipment, signal, step) => {
        const shipped = Promise.withResolvers<void>();
        this.#waiting.push({ holder, shipment, signal, step, shipped });
        this.#look();
        return shipped.promise;
      },
      close: () => producer.close().catch(() => undefined),
    };
  }

  /** Lets the running code give way first: what other tasks ship in the same turn goes along. */
  #look(): void {
    if (this.#looking || (this.#underWay > 0 && this.#apart === 0)) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      this.#leave();
    });
  }

  #leave(): void {
    for (const { signal, shipped } of this.#waiting) if (signal.aborted) shipped.reject(signal.reason);
    this.#waiting = this.#waiting.filter(({ signal }) => !signal.aborted);
    while (this.#waiting.length > 0 && (this.#underWay === 0 || this.#apart > 0))
      void this.#run(this.#take());
  }

  #take(): readonly Waiting[] {
    const alone = this.#apart > 0;
    if (alone) this.#apart--;
    let room = TOGETHER_RECORDS_MAX;
    const taken = this.#waiting.filter(({ holder, shipment }, i) => {
      const { generation } = this.#waiting[0]!.holder;
      const goes = i === 0 || (!alone && shipment.records.length <= room && holder.generation === generation);
      if (goes) room -= shipment.records.length;
      return goes;
    });
    this.#waiting = this.#waiting.filter(one => !taken.includes(one));
    return taken;
  }

  async #run(taken: readonly Waiting[]): Promise<void> {
    this.#underWay++;
    try {
      await this.#ship(taken);
      for (const { shipped } of taken) shipped.resolve();
    } catch (error) {
      this.#apart = APART_SHIPMENTS;
      for (const { shipped } of taken) shipped.reject(error);
    } finally {
      this.#underWay--;
      this.#look();
    }
  }

  async #ship(taken: readonly Waiting[]): Promise<void> {
    const { producer, generation } = this.#leaderOf(taken);
    for (const { step } of taken) step('begun');
    const records =
      taken.length === 1 ? taken[0]!.shipment.records : taken.flatMap(one => one.shipment.records);
    const offsets = taken.flatMap(one => one.shipment.offsets);
    const send = async (): Promise<void> => {
      if (records.length > 0) await producer.send(records);
      acknowledged(records);
      for (const { step } of taken) step('sent');
    };
    const sendOffsets = async (): Promise<void> => {
      const member = await this.#member.member();
      if (member.generation !== generation)
        throw new FencedError(`of generation ${generation}, and the group is in ${member.generation}`);
      await producer.sendOffsets(member, offsets);
    };
    // Offsets travel beside the records: what is in a transaction counts together, or not at all.
    await allOf([send(), sendOffsets()]);
    await producer.commit();
  }

  /** Whoever has not led for the longest time: of its last transaction Kafka has written all markers by now. */
  #leaderOf(taken: readonly Waiting[]): Holder {
    const { holder } = taken.reduce((least, one) => (one.holder.led < least.holder.led ? one : least));
    holder.led = ++this.#begun;
    return holder;
  }
}

/** Waits for all, also where one fails: nothing is under way when it throws the first error. */
const allOf = async (steps: readonly Promise<void>[]): Promise<void> => {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
};
