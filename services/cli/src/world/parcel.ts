import type { OutRecord, PartitionOffset, TransactionalProducer } from '@millrace/stream';

/** Bounds of one transaction; the larger of its items may pass the second alone. */
const ITEMS_MAX = 500;
const BYTES_MAX = 4 * 1024 * 1024;

export interface ParcelOptions {
  readonly producer: TransactionalProducer;
  /** Called before each transaction: where it rejects, nothing more is sent. */
  readonly before?: () => Promise<void>;
  /** Offsets that go into each transaction, as they are then. */
  readonly offsets?: { readonly group: string; readonly now: () => readonly PartitionOffset[] };
  /** Told how many items were sent so far, after each transaction. */
  readonly told: (sent: number) => void;
}

const bytesOf = ({ key, value, headers = [] }: OutRecord): number =>
  headers.reduce((sum, [, bytes]) => sum + bytes.length, (key?.length ?? 0) + (value?.length ?? 0));

/** What is sent again, gathered into transactions: an item, with the records that say so, whole or not at all. */
export class Parcel {
  readonly #options: ParcelOptions;
  #records: OutRecord[] = [];
  #items = 0;
  #bytes = 0;
  #sent = 0;

  constructor(options: ParcelOptions) {
    this.#options = options;
  }

  /** Items sent so far. */
  get sent(): number {
    return this.#sent;
  }

  async add(...item: readonly OutRecord[]): Promise<void> {
    this.#records.push(...item);
    this.#items++;
    this.#bytes += item.reduce((sum, record) => sum + bytesOf(record), 0);
    if (this.#items >= ITEMS_MAX || this.#bytes >= BYTES_MAX) await this.send();
  }

  async send(): Promise<void> {
    if (this.#items === 0) return;
    const { producer, before, offsets, told } = this.#options;
    await before?.();
    await producer.send(this.#records);
    if (offsets !== undefined) await producer.sendOffsets(offsets.group, offsets.now());
    await producer.commit();
    this.#sent += this.#items;
    this.#records = [];
    this.#items = 0;
    this.#bytes = 0;
    told(this.#sent);
  }
}
