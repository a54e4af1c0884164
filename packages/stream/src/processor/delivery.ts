import type { OutRecord, PartitionOffset, Producer, TransactionalProducer } from '../broker/port.ts';
import type { Group } from './setting.ts';

/** What one commit carries. */
export interface Shipment {
  readonly records: readonly OutRecord[];
  readonly offsets: readonly PartitionOffset[];
}

/** Brings one shipment to Kafka. After an error it is dead, and what became of the shipment is unknown. */
export interface Courier {
  /** @param sent called when the records are acknowledged; what is left then is the end of the commit. */
  ship(shipment: Shipment, signal: AbortSignal, sent: () => void): Promise<void>;
  /** Best effort, never rejects. */
  close(): Promise<void>;
}

/** Outputs, changelog, dead letters and offsets in one transaction, committed only by a proven member. */
export function transactionCourier(producer: TransactionalProducer, group: string, member: Group): Courier {
  return {
    async ship({ records, offsets }, signal, sent) {
      const send = async (): Promise<void> => {
        if (records.length > 0) await producer.send(records);
        sent();
        await member.heartbeat();
      };
      // Offsets travel beside the records: what is in a transaction counts together, or not at all.
      await allOf([send(), offsets.length > 0 ? producer.sendOffsets(group, offsets) : Promise.resolve()]);
      // The heartbeat may have been that of a generation that began meanwhile: not ours to commit in.
      signal.throwIfAborted();
      await producer.commit();
    },
    close: () => producer.close().catch(() => undefined),
  };
}

/** Waits for all, also where one fails: nothing is under way when it throws the first error. */
const allOf = async (steps: readonly Promise<void>[]): Promise<void> => {
  const failed = (await Promise.allSettled(steps)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
};

/** Outputs acknowledged, then offsets committed. */
export function acknowledgedCourier(shared: SharedProducer, member: Group): Courier {
  return {
    async ship({ records, offsets }, signal, sent) {
      if (records.length > 0) await shared.send(records);
      sent();
      signal.throwIfAborted();
      if (offsets.length > 0) await member.commit(offsets);
    },
    close: () => Promise.resolve(),
  };
}

/** One idempotent producer for all tasks. After a failed send its sequence cannot be trusted: the next gets a new one. */
export class SharedProducer {
  readonly #open: () => Promise<Producer>;
  #producer: Promise<Producer> | undefined;

  constructor(open: () => Promise<Producer>) {
    this.#open = open;
  }

  async send(records: readonly OutRecord[]): Promise<void> {
    const current = (this.#producer ??= this.#open());
    try {
      await (await current).send(records);
    } catch (error) {
      if (this.#producer === current) this.#producer = undefined;
      await closed(current);
      throw error;
    }
  }

  async close(): Promise<void> {
    const current = this.#producer;
    this.#producer = undefined;
    if (current !== undefined) await closed(current);
  }
}

const closed = (producer: Promise<Producer>): Promise<void> =>
  producer.then(open => open.close()).catch(() => undefined); // It failed already, and whoever sent has heard of it.
