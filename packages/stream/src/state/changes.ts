import { ValueWriter } from '@millrace/avro';
import { LentPieces, Pieces } from '../broker/pieces.ts';
import type { OutRecord, TopicPartition } from '../broker/port.ts';
import { type Lent, SharedRecord } from '../broker/shared.ts';
import { GroupedMap } from './grouped.ts';
import type { Change } from './store.ts';

/** Memory of changes that is kept for later ones, bytes at most, of all tasks of the process. */
const KEPT_BYTES_MAX = 8 * 1_048_576;
const pieces = new Pieces(KEPT_BYTES_MAX);

/** Where changes of one task are written: key and value of each side by side, as its changelog gets them. */
export class ChangeMemory {
  readonly changelog: TopicPartition;
  readonly #memory = new LentPieces(pieces);
  readonly #out = new ValueWriter(bytes => this.#memory.next(bytes));

  constructor(changelog: TopicPartition) {
    this.changelog = changelog;
  }

  write(key: string, value: Uint8Array): SharedRecord {
    const { topic, partition } = this.changelog;
    const out = this.#out;
    out.begin();
    out.characters(key);
    const keyBytes = out.length;
    out.raw(value);
    const bytes = out.length;
    const keyAt = out.leave();
    return SharedRecord.of(topic, partition, {
      bytes: out.memory,
      keyAt,
      valueAt: keyAt + keyBytes,
      end: keyAt + bytes,
    });
  }

  /** Of the memory that was written to last. */
  get lent(): Lent {
    return this.#memory.lent;
  }
}

/**
 * Changes of keyed state that are committed together, the last of each key. Each is the record that the changelog gets of
 * it, so nothing else is made of it on its way there: a service at full load has thousands in every commit.
 */
export class Changes {
  readonly #memory: ChangeMemory;
  readonly #records = new GroupedMap<OutRecord>();
  readonly #lents: Lent[] = [];

  constructor(memory: ChangeMemory) {
    this.#memory = memory;
  }

  get size(): number {
    return this.#records.size;
  }

  has(key: string): boolean {
    return this.#records.has(key);
  }

  /** Whether it was given a value, or deleted. Undefined: neither. */
  puts(key: string): boolean | undefined {
    const record = this.#records.get(key);
    return record === undefined ? undefined : record instanceof SharedRecord;
  }

  /** Null: it was deleted. Undefined: it is as it was. */
  get(key: string): Uint8Array | null | undefined {
    return this.#records.get(key)?.value;
  }

  put(key: string, value: Uint8Array): void {
    const before = this.#records.get(key);
    const record = this.#memory.write(key, value);
    if (before instanceof SharedRecord) before.giveBack();
    const { lent } = this.#memory;
    if (this.#lents.at(-1) !== lent) {
      lent.add();
      this.#lents.push(lent);
    }
    this.#records.set(key, record);
  }

  delete(key: string): void {
    const before = this.#records.get(key);
    if (before instanceof SharedRecord) before.giveBack();
    this.#records.set(key, { ...this.#memory.changelog, key: Buffer.from(key), value: null });
  }

  /** For the changelog. */
  records(): readonly OutRecord[] {
    return this.#records.list();
  }

  *entries(): Generator<Change> {
    for (const [key, { value }] of this.#records.entries()) yield [key, value];
  }

  *inGroup(group: string): Generator<Change> {
    for (const [key, { value }] of this.#records.inGroup(group)) yield [key, value];
  }

  /** Nobody reads them any more, nor what was got of them: their memory is used again. */
  letGo(): void {
    for (const record of this.records()) if (record instanceof SharedRecord) record.giveBack();
    for (const lent of this.#lents) lent.acknowledged();
  }
}
