import type { OutRecord } from './port.ts';

/**
 * Memory that records share, and whose owner would use it again: so many of them were written, and each is told of once
 * it is acknowledged. One that never is (its task ended, its send failed) keeps the memory from being used again.
 */
export class Lent {
  readonly #back: () => void;
  #open = 0;

  /** @param back called when the last of its records is acknowledged */
  constructor(back: () => void) {
    this.#back = back;
  }

  /** One more record lies in it. Whoever writes more after the first was sent holds it as one more, until all are written. */
  add(): void {
    this.#open++;
  }

  acknowledged(): void {
    if (--this.#open === 0) this.#back();
  }
}

/** Where the key and the value of one record lie, the value right behind the key, in bytes that many records share. */
export interface SharedBytes {
  readonly bytes: Uint8Array;
  readonly keyAt: number;
  readonly valueAt: number;
  /** Where the value ends. */
  readonly end: number;
  /** Where the memory is only lent: views of it are good until the record is acknowledged, and no longer. */
  readonly lent?: Lent | undefined;
}

/** Acknowledged records that are kept to be used again, at most: as many as are under way at full load, 6 MB. */
const SPARE_MAX = 65_536;
const spare: SharedRecord[] = [];
const NO_BYTES = new Uint8Array(0);

/**
 * A record of which key and value are made only when somebody asks: views of their own would weigh more than all else of
 * it. A service at full load has tens of thousands under way, each for longer than V8 takes for the life of young objects,
 * so those whose memory is lent go back with it, and `of` uses them again.
 */
export class SharedRecord implements OutRecord, SharedBytes {
  topic = '';
  partition = 0;
  bytes: Uint8Array = NO_BYTES;
  keyAt = 0;
  valueAt = 0;
  end = 0;
  lent: Lent | undefined;

  static of(
    topic: string,
    partition: number,
    { bytes, keyAt, valueAt, end, lent }: SharedBytes,
  ): SharedRecord {
    const record = spare.pop() ?? new SharedRecord();
    record.topic = topic;
    record.partition = partition;
    record.bytes = bytes;
    record.keyAt = keyAt;
    record.valueAt = valueAt;
    record.end = end;
    record.lent = lent;
    return record;
  }

  get key(): Uint8Array {
    return this.bytes.subarray(this.keyAt, this.valueAt);
  }

  get value(): Uint8Array {
    return this.bytes.subarray(this.valueAt, this.end);
  }

  /** To be told once: nobody reads it again. */
  acknowledged(): void {
    const { lent } = this;
    if (lent === undefined) return;
    this.lent = undefined;
    lent.acknowledged();
    this.giveBack();
  }

  /** The same, where whoever made it keeps account of the memory that it lies in. */
  giveBack(): void {
    this.bytes = NO_BYTES;
    if (spare.length < SPARE_MAX) spare.push(this);
  }
}

/** To be told once: nobody reads them again. */
export const acknowledged = (records: readonly OutRecord[]): void => {
  for (const record of records) if (record instanceof SharedRecord) record.acknowledged();
};

/** Bytes of key and value. */
export const bytesOfRecord = (record: OutRecord): number =>
  record instanceof SharedRecord
    ? record.end - record.keyAt
    : (record.key?.length ?? 0) + (record.value?.length ?? 0);
