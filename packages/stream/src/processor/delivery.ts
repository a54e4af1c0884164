import type { OutRecord, PartitionOffset, Producer } from '../broker/port.ts';
import { acknowledged } from '../broker/shared.ts';
import type { Group } from './setting.ts';

/** What one commit carries. */
export interface Shipment {
  readonly records: readonly OutRecord[];
  /** Never empty exactly once: they prove who ships. */
  readonly offsets: readonly PartitionOffset[];
}

/** Brings what a task has done to Kafka. After an error it is dead, and what became of the shipment is unknown. */
export interface Courier {
  /**
   * Resolves when the records are acknowledged, and count: a shipment with their offsets follows. Missing where records
   * count only with the offsets that they are shipped with.
   */
  readonly send?: (records: readonly OutRecord[]) => Promise<void>;
  /**
   * @param step called when it begins, as it may wait for another to end, and when the records are acknowledged; what is
   *   left then is the end of the commit.
   */
  ship(shipment: Shipment, signal: AbortSignal, step: (to: 'begun' | 'sent') => void): Promise<void>;
  /** Best effort, never rejects. */
  close(): Promise<void>;
}

/** Outputs acknowledged, then offsets committed: what is shipped was sent before. */
export function acknowledgedCourier(shared: SharedProducer, member: Group): Courier {
  return {
    send: records => shared.send(records),
    async ship({ offsets }, signal, step) {
      step('sent');
      signal.throwIfAborted();
      if (offsets.length > 0) await member.commit(offsets);
    },
    close: () => Promise.resolve(),
  };
}

/** What several tasks send together at most; one that has more sends alone. */
const TOGETHER_RECORDS_MAX = 1_000;
/** After a send has failed, so many of the next are not shared: records that Kafka refuses shall not take others along. */
const APART_SENDS = 100;

interface Gathered {
  records: OutRecord[];
  readonly sent: PromiseWithResolvers<void>;
}

/**
 * One idempotent producer for all tasks. What they send in one turn of the event loop goes together, a partition's
 * records in the order of the calls. After a failed send its sequence cannot be trusted: the next gets a new one.
 */
export class SharedProducer {
  readonly #open: () => Promise<Producer>;
  #producer: Promise<Producer> | undefined;
  #gathered: Gathered | undefined;
  #apart = 0;

  constructor(open: () => Promise<Producer>) {
    this.#open = open;
  }

  /** Resolves when all of the records are acknowledged. */
  send(records: readonly OutRecord[]): Promise<void> {
    const had = this.#gathered?.records.length ?? 0;
    if (had > 0 && (this.#apart > 0 || had + records.length > TOGETHER_RECORDS_MAX)) this.#leave();
    const gathered = (this.#gathered ??= this.#gather());
    if (gathered.records.length === 0) gathered.records = [...records];
    else for (const record of records) gathered.records.push(record);
    if (this.#apart > 0) {
      this.#apart--;
      this.#leave();
    }
    return gathered.sent.promise;
  }

  #gather(): Gathered {
    const gathered = { records: [], sent: Promise.withResolvers<void>() };
    setImmediate(() => {
      if (this.#gathered === gathered) this.#leave();
    });
    return gathered;
  }

  #leave(): void {
    const { records, sent } = this.#gathered!;
    this.#gathered = undefined;
    this.#sendNow(records).then(sent.resolve, sent.reject);
  }

  async #sendNow(records: readonly OutRecord[]): Promise<void> {
    const current = (this.#producer ??= this.#open());
    try {
      await (await current).send(records);
      acknowledged(records);
    } catch (error) {
      this.#apart = APART_SENDS;
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
