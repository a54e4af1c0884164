import type { OutRecord } from '../broker/port.ts';

/** A transaction as the partitions see it: its records count once it is committed. */
export interface Transaction {
  state: 'open' | 'committed' | 'aborted';
}

export interface Entry {
  readonly offset: number;
  readonly timeMs: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly (readonly [string, Uint8Array])[];
  readonly transaction: Transaction | undefined;
  /** A control record: ends a transaction and takes an offset, but is never delivered. */
  readonly control: boolean;
}

export interface Slice {
  readonly entries: readonly Entry[];
  /** Offset to read next, past what was skipped. */
  readonly nextOffset: number;
}

/** What is sent may be written over once it is acknowledged. A Buffer's own `slice` would be a view. */
const copied = (bytes: Uint8Array): Uint8Array => Uint8Array.prototype.slice.call(bytes);

/** One partition: entries in offset order, with gaps where records were compacted away. */
export class PartitionLog {
  #entries: Entry[] = [];
  #beginning = 0;
  #end = 0;
  /** First offset of each transaction that is open here. */
  readonly #open = new Map<Transaction, number>();

  get beginning(): number {
    return this.#beginning;
  }

  get end(): number {
    return this.#end;
  }

  /** Readers of committed records see nothing at or past it. */
  get lastStable(): number {
    return Math.min(this.#end, ...this.#open.values());
  }

  append(records: readonly OutRecord[], timeMs: number, transaction?: Transaction): void {
    if (transaction !== undefined && !this.#open.has(transaction)) this.#open.set(transaction, this.#end);
    for (const { key, value, headers } of records)
      this.#entries.push({
        offset: this.#end++,
        timeMs,
        key: key === null ? null : copied(key),
        value: value === null ? null : copied(value),
        headers: (headers ?? []).map(([name, bytes]) => [name, copied(bytes)] as const),
        transaction,
        control: false,
      });
  }

  /** Writes the marker that ends the transaction in this partition. */
  endTransaction(transaction: Transaction, timeMs: number): void {
    if (!this.#open.delete(transaction)) return;
    const offset = this.#end++;
    this.#entries.push({ offset, timeMs, key: null, value: null, headers: [], transaction, control: true });
  }

  /** Committed records from the offset on, bounded by records and by the offset `until` (exclusive). */
  readCommitted(from: number, recordsMax: number, until = Infinity): Slice {
    const stop = Math.min(this.lastStable, until);
    const entries: Entry[] = [];
    for (let i = this.#indexOf(from); i < this.#entries.length; i++) {
      const entry = this.#entries[i]!;
      if (entry.offset >= stop) break;
      if (entry.control || (entry.transaction !== undefined && entry.transaction.state !== 'committed'))
        continue;
      if (entries.length === recordsMax) return { entries, nextOffset: entry.offset };
      entries.push(entry);
    }
    return { entries, nextOffset: Math.max(from, stop) };
  }

  offsetAtTime(timeMs: number): number {
    return this.#entries.find(entry => entry.timeMs >= timeMs && !entry.control)?.offset ?? this.lastStable;
  }

  /** Keeps the newest committed record of each key; drops markers and aborted records. Offsets stay. */
  compact(tombstones: 'keep' | 'drop'): void {
    const stop = this.lastStable;
    const newest = new Map<string, Entry>();
    for (const entry of this.#entries)
      if (
        entry.offset < stop &&
        !entry.control &&
        entry.transaction?.state !== 'aborted' &&
        entry.key !== null
      )
        newest.set(Buffer.from(entry.key).toString('latin1'), entry);
    const kept = new Set(newest.values());
    this.#entries = this.#entries.filter(
      entry => entry.offset >= stop || (kept.has(entry) && (entry.value !== null || tombstones === 'keep')),
    );
  }

  /** What retention does: records below the offset are gone. */
  dropBefore(offset: number): void {
    this.#beginning = Math.max(this.#beginning, Math.min(offset, this.lastStable));
    this.#entries = this.#entries.filter(entry => entry.offset >= this.#beginning);
  }

  #indexOf(offset: number): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.offset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
