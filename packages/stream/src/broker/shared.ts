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

/**
 * A record of which key and value are made only when somebody asks: views of their own would weigh more than all else of
 * it, and a service at full load has tens of thousands under way, each for longer than V8 takes for the life of young
 * objects.
 */
export class SharedRecord implements OutRecord, SharedBytes {
  readonly topic: string;
  readonly partition: number;
  readonly bytes: Uint8Array;
  readonly keyAt: number;
  readonly valueAt: number;
  readonly end: number;
  readonly lent: Lent | undefined;

  constructor(topic: string, partition: number, { bytes, keyAt, valueAt, end, lent }: SharedBytes) {
    this.topic = topic;
    this.partition = partition;
    this.bytes = bytes;
    this.keyAt = keyAt;
    this.valueAt = valueAt;
    this.end = end;
    this.lent = lent;
  }

  get key(): Uint8Array {
    return this.bytes.subarray(this.keyAt, this.valueAt);
  }

  get value(): Uint8Array {
    return this.bytes.subarray(this.valueAt, this.end);
  }
}

/** To be told once: nobody reads them again. */
export const acknowledged = (records: readonly OutRecord[]): void => {
  for (const record of records) if (record instanceof SharedRecord) record.lent?.acknowledged();
};

/** Bytes of key and value. */
export const bytesOfRecord = (record: OutRecord): number =>
  record instanceof SharedRecord
    ? record.end - record.keyAt
    : (record.key?.length ?? 0) + (record.value?.length ?? 0);
