import { Bad, type Field, type RecordCodec } from '@millrace/avro';
import { asideTopic, type FeaturesValue, REPLAY_RUN_HEADER, replayRunOf } from '@millrace/contracts';
import { hashFeatureSet, type Pipeline } from '@millrace/define';
import { Floats } from '@millrace/model';
import { type BytesPlace, type InboundBatch, placeOf, placeOfValue } from '@millrace/stream';
import { areSame, copy, Memories, type Source, sourceOf } from './bytes.ts';
import { type FreshnessRule, freshnessRule } from './freshness.ts';

type Rows = RecordCodec<FeaturesValue>['rows'];

/** The vectors of one batch, left in their bytes: where the fields of each lie is all that is kept of it. */
export class Vectors {
  /** The bytes that each lies in, mostly among others. */
  readonly memories: Source[] = [];
  #starts: Int32Array;
  #sizes: Int32Array;
  readonly #slots: number;

  constructor(slots: number, rowsMax: number) {
    this.#slots = slots;
    this.#starts = new Int32Array(slots * rowsMax);
    this.#sizes = new Int32Array(rowsMax);
  }

  /** Begins another batch. Its memory stays: a batch of hundreds of rows would take as much anew each time. */
  renew(rowsMax: number): this {
    this.clear();
    if (rowsMax > this.#sizes.length) {
      this.#starts = new Int32Array(this.#slots * rowsMax);
      this.#sizes = new Int32Array(rowsMax);
    }
    return this;
  }

  /** Lets go of what was fetched. */
  clear(): void {
    this.memories.length = 0;
  }

  /** @param size bytes of the vector */
  add(memory: Source, size: number): void {
    this.#sizes[this.memories.length] = size;
    this.memories.push(memory);
  }

  /** Takes back the last one. */
  pop(): void {
    this.memories.pop();
  }

  /** Bytes of one. */
  size(row: number): number {
    return this.#sizes[row]!;
  }

  get starts(): Int32Array {
    return this.#starts;
  }

  get length(): number {
    return this.memories.length;
  }

  base(row: number): number {
    return row * this.#slots;
  }

  read(field: Field, row: number): unknown {
    return field.read(this.memories[row]!.bytes, this.starts, this.base(row));
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
    const { bytes } = vectors.memories[row]!;
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

/** What vectors of one topic are read by. */
export interface VectorInput {
  readonly codec: RecordCodec<FeaturesValue>;
  readonly rows: Rows;
  /** Whether they may be replayed ones. */
  readonly isAside: boolean;
}

const FLOAT_BYTES = 4;

/** What vectors of one pipeline are read by. */
export class VectorReader {
  readonly rows: Rows;
  /** Undefined where nothing says how old a view may be. */
  readonly freshness: FreshnessRule | undefined;
  readonly #inputs: ReadonlyMap<string, VectorInput>;
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
    this.#inputs = new Map(
      [...codecs].map(([topic, of]) => [
        topic,
        { codec: of, rows: of.rows, isAside: asideTopic(topic) === topic },
      ]),
    );
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

  input(topic: string): VectorInput {
    return this.#inputs.get(topic)!;
  }

  /** The run that wrote a vector again; undefined where none did. Nothing is replayed to the compacted topic. */
  runOf({ isAside }: VectorInput, batch: InboundBatch<FeaturesValue>, i: number): string | undefined {
    return isAside ? replayRunOf(batch.header(i, REPLAY_RUN_HEADER)) : undefined;
  }

  /**
   * Where the vector lies, as it is read: one that was replayed is of the run that wrote it, and so are its predictions.
   * @returns false where there is none
   */
  place(input: VectorInput, batch: InboundBatch<FeaturesValue>, i: number, place: BytesPlace): boolean {
    const runId = this.runOf(input, batch, i);
    if (runId !== undefined) {
      const value = batch.value(i);
      if (value !== null && !(value instanceof Bad))
        return placeOf(input.codec.encode({ ...value, runId }), place);
    }
    return placeOfValue(batch, i, place);
  }

  /** Adds one row, or says why it cannot be used. */
  add(
    vectors: Vectors,
    { rows }: VectorInput,
    { bytes, from, to }: Readonly<BytesPlace>,
  ): Bad | 'other-features' | undefined {
    const base = vectors.base(vectors.length);
    const located = rows.locate(bytes, vectors.starts, base, from, to);
    if (located instanceof Bad) return located;
    const memory = this.#memories.of(located);
    if (!this.#isOfOurSet(memory, vectors.starts, base)) return 'other-features';
    vectors.add(memory, located === bytes ? to - from : located.length);
    return undefined;
  }

  /** Version and hash lie side by side: as bytes they are ours, or the vector is of another feature set. */
  #isOfOurSet(memory: Source, starts: Int32Array, base: number): boolean {
    const [version, hash] = this.#set;
    const start = version.start(starts, base);
    const wanted = this.#setBytes;
    return hash.end(starts, base) - start === wanted.bytes.length && areSame(memory, start, wanted);
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
    return ({ memories, starts }, row, into, at) => {
      const start = first.start(starts, row * this.rows.slots);
      copy(memories[row]!, start, start + bytes, into.source, at * FLOAT_BYTES);
    };
  }

  /** Where its text lies. */
  entity(vectors: Vectors, row: number, place: BytesPlace): void {
    const { bytes } = vectors.memories[row]!;
    const base = vectors.base(row);
    place.bytes = bytes;
    place.from = textStart(bytes, this.#entity.start(vectors.starts, base));
    place.to = this.#entity.end(vectors.starts, base);
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
      if (vectors.memories[row]!.bytes[at] !== 0) found.push(vectors.read(this.#traceparent, row) as string);
    }
    return found;
  }
}
