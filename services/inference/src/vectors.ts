import { Bad, type Field, type RecordCodec } from '@millrace/avro';
import { asideTopic, type FeaturesValue, replayRunOf } from '@millrace/contracts';
import { hashFeatureSet, type Pipeline } from '@millrace/define';
import { Floats } from '@millrace/model';
import type { InboundBatch } from '@millrace/stream';
import { areSame, copy, Memories, type Source, sourceOf } from './bytes.ts';
import { type FreshnessRule, freshnessRule } from './freshness.ts';

type Rows = RecordCodec<FeaturesValue>['rows'];

/** The vectors of one batch, left in their bytes: where the fields of each lie is all that is kept of it. */
export class Vectors {
  readonly values: Uint8Array[] = [];
  /** The memory that each lies in. */
  readonly memories: Source[] = [];
  #starts: Int32Array;
  readonly #slots: number;

  constructor(slots: number, rowsMax: number) {
    this.#slots = slots;
    this.#starts = new Int32Array(slots * rowsMax);
  }

  /** Begins another batch. Its memory stays: a batch of hundreds of rows would take as much anew each time. */
  renew(rowsMax: number): this {
    this.clear();
    if (this.#slots * rowsMax > this.#starts.length) this.#starts = new Int32Array(this.#slots * rowsMax);
    return this;
  }

  /** Lets go of what was fetched. */
  clear(): void {
    this.values.length = 0;
    this.memories.length = 0;
  }

  add(value: Uint8Array, memory: Source): void {
    this.values.push(value);
    this.memories.push(memory);
  }

  /** Takes back the last one. */
  pop(): void {
    this.values.pop();
    this.memories.pop();
  }

  get starts(): Int32Array {
    return this.#starts;
  }

  get length(): number {
    return this.values.length;
  }

  base(row: number): number {
    return row * this.#slots;
  }

  read(field: Field, row: number): unknown {
    return field.read(this.values[row]!, this.starts, this.base(row));
  }
}

/** Where the bytes of an Avro text begin, behind its length. */
export const textStart = (bytes: Uint8Array, at: number): number => {
  let next = at;
  while (bytes[next]! >= 0x80) next++;
  return next + 1;
};

/** A text that is nearly always that of the row before: read anew only where its bytes differ. */
export class SameText {
  readonly #field: Field;
  #bytes = new Uint8Array(0);
  #text = '';

  constructor(field: Field) {
    this.#field = field;
  }

  read(vectors: Vectors, row: number): string {
    const bytes = vectors.values[row]!;
    const start = this.#field.start(vectors.starts, vectors.base(row));
    const end = this.#field.end(vectors.starts, vectors.base(row));
    const known = this.#bytes;
    let isSame = known.length > 0 && end - start === known.length;
    for (let i = 0; isSame && i < known.length; i++) isSame = bytes[start + i] === known[i];
    if (!isSame) {
      this.#bytes = bytes.slice(start, end);
      this.#text = vectors.read(this.#field, row) as string;
    }
    return this.#text;
  }
}

/** A tensor, and its memory as bytes. */
interface Tensor {
  readonly values: Float32Array<ArrayBuffer>;
  readonly source: Source;
}

/** Copies one row's features to a place of a tensor, of which `at` is the first value. */
type Fill = (vectors: Vectors, row: number, into: Tensor, at: number) => void;

const FLOAT_BYTES = 4;

/** What vectors of one pipeline are read by. */
export class VectorReader {
  readonly rows: Rows;
  /** Undefined where nothing says how old a view may be. */
  readonly freshness: FreshnessRule | undefined;
  readonly #codecs: ReadonlyMap<string, RecordCodec<FeaturesValue>>;
  readonly #asides: ReadonlySet<string>;
  readonly #set: readonly [Field, Field];
  readonly #setBytes: Source;
  readonly #traceparent: Field;
  readonly #entity: Field;
  readonly #appendTime: Field;
  readonly #sourcePartition: Field;
  readonly #sourceOffset: Field;
  readonly #floats = new Floats();
  readonly #memories = new Memories();
  readonly #fills = new WeakMap<readonly string[], Fill>();

  /** @param codecs of each input topic, all of one schema, under ids of their own */
  constructor(pipeline: Pipeline, codecs: ReadonlyMap<string, RecordCodec<FeaturesValue>>) {
    const [codec] = codecs.values();
    this.rows = codec!.rows;
    this.freshness = freshnessRule(pipeline, codec!);
    this.#codecs = codecs;
    this.#asides = new Set([...codecs.keys()].filter(topic => asideTopic(topic) === topic));
    this.#set = [this.rows.field('featureSet'), this.rows.field('featureSetHash')];
    this.#setBytes = sourceOf(
      Buffer.concat([
        codec!.encodeField('featureSet', pipeline.features.version),
        codec!.encodeField('featureSetHash', hashFeatureSet(pipeline)),
      ]),
    );
    this.#traceparent = this.rows.field('traceparent');
    this.#entity = this.rows.field('entity');
    this.#appendTime = this.rows.field('appendTime');
    this.#sourcePartition = this.rows.field('sourcePartition');
    this.#sourceOffset = this.rows.field('sourceOffset');
  }

  /** The run that wrote a vector again; undefined where none did. Nothing is replayed to the compacted topic. */
  runOf(batch: InboundBatch<FeaturesValue>, i: number): string | undefined {
    return this.#asides.has(batch.topic) ? replayRunOf(name => batch.header(i, name)) : undefined;
  }

  /** The vector as it is read: one that was replayed is of the run that wrote it, and so are its predictions. */
  bytes(batch: InboundBatch<FeaturesValue>, i: number): Uint8Array | null {
    const bytes = batch.bytes(i);
    const runId = this.runOf(batch, i);
    const value = bytes === null || runId === undefined ? null : batch.value(i);
    return value === null || value instanceof Bad
      ? bytes
      : this.#codecs.get(batch.topic)!.encode({ ...value, runId: runId! });
  }

  /** Adds one row, or says why it cannot be used. */
  add(vectors: Vectors, topic: string, value: Uint8Array): Bad | 'other-features' | undefined {
    const row = vectors.length;
    const base = vectors.base(row);
    const located = this.#codecs.get(topic)!.rows.locate(value, vectors.starts, base);
    if (located instanceof Bad) return located;
    const memory = this.#memories.of(located);
    if (!this.#isOfOurSet(located, memory, vectors.starts, base)) return 'other-features';
    vectors.add(located, memory);
    return undefined;
  }

  /** Version and hash lie side by side: as bytes they are ours, or the vector is of another feature set. */
  #isOfOurSet(value: Uint8Array, memory: Source, starts: Int32Array, base: number): boolean {
    const [version, hash] = this.#set;
    const start = version.start(starts, base);
    const wanted = this.#setBytes;
    if (hash.end(starts, base) - start !== wanted.bytes.length) return false;
    return areSame(memory, value.byteOffset + start, wanted);
  }

  /** The features of all rows, in the order named. */
  tensor(vectors: Vectors, names: readonly string[]): Float32Array<ArrayBuffer> {
    let fill = this.#fills.get(names);
    if (fill === undefined) this.#fills.set(names, (fill = this.#fillOf(names)));
    const values = this.#floats.take(vectors.length * names.length);
    const source = sourceOf(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const into: Tensor = { values, source };
    for (let row = 0; row < vectors.length; row++) fill(vectors, row, into, row * names.length);
    return values;
  }

  /** Of a tensor that nobody reads any more: the next one may lie in its memory. */
  release(tensor: Float32Array<ArrayBuffer>): void {
    this.#floats.give(tensor);
  }

  #fillOf(names: readonly string[]): Fill {
    const paths = names.map(name => `features.${name}`);
    const first = this.rows.sideBySide(paths);
    if (first === undefined) {
      const fields = paths.map(path => this.rows.field(path));
      return (vectors, row, into, at) => {
        for (const [k, field] of fields.entries()) into.values[at + k] = Number(vectors.read(field, row));
      };
    }
    const bytes = names.length * FLOAT_BYTES;
    return ({ values, memories, starts }, row, into, at) => {
      const start = values[row]!.byteOffset + first.start(starts, row * this.rows.slots);
      copy(memories[row]!, start, start + bytes, into.source, at * FLOAT_BYTES);
    };
  }

  /** As bytes. */
  entity(vectors: Vectors, row: number): Uint8Array {
    const bytes = vectors.values[row]!;
    const base = vectors.base(row);
    const start = textStart(bytes, this.#entity.start(vectors.starts, base));
    return bytes.slice(start, this.#entity.end(vectors.starts, base));
  }

  appendTime(vectors: Vectors, row: number): number {
    return vectors.read(this.#appendTime, row) as number;
  }

  /** Partition of the event on the scored stream. */
  sourcePartition(vectors: Vectors, row: number): number {
    return vectors.read(this.#sourcePartition, row) as number;
  }

  sourceOffset(vectors: Vectors, row: number): number {
    return vectors.read(this.#sourceOffset, row) as number;
  }

  traceparents(vectors: Vectors): readonly string[] {
    const found: string[] = [];
    for (let row = 0; row < vectors.length; row++) {
      const at = this.#traceparent.start(vectors.starts, vectors.base(row));
      // The first branch of the union is null.
      if (vectors.values[row]![at] !== 0) found.push(vectors.read(this.#traceparent, row) as string);
    }
    return found;
  }
}
