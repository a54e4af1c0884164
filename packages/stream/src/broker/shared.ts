import type { OutRecord } from './port.ts';

/** Where the key and the value of one record lie, the value right behind the key, in bytes that many records share. */
export interface SharedBytes {
  readonly bytes: Uint8Array;
  readonly keyAt: number;
  readonly valueAt: number;
  /** Where the value ends. */
  readonly end: number;
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

  constructor(topic: string, partition: number, { bytes, keyAt, valueAt, end }: SharedBytes) {
    this.topic = topic;
    this.partition = partition;
    this.bytes = bytes;
    this.keyAt = keyAt;
    this.valueAt = valueAt;
    this.end = end;
  }

  get key(): Uint8Array {
    return this.bytes.subarray(this.keyAt, this.valueAt);
  }

  get value(): Uint8Array {
    return this.bytes.subarray(this.valueAt, this.end);
  }
}

/** Bytes of key and value. */
export const bytesOfRecord = (record: OutRecord): number =>
  record instanceof SharedRecord
    ? record.end - record.keyAt
    : (record.key?.length ?? 0) + (record.value?.length ?? 0);
