import type avsc from 'avsc';
import { Bad } from './bad.ts';
import type { RecordCodec, Registry } from './codec.ts';
import { SchemaNotRegistered } from './errors.ts';
import { badFrame, FRAME_BYTES, frameId } from './frame.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { layoutOf } from './layout.ts';
import type { QuickRead } from './quickRead.ts';
import { quicklyOwn, readOwn, resolveWriter, type Writer } from './reading.ts';
import { keepOurs } from './rewrite/rewrite.ts';
import { locating, type Rows, rowsOf } from './rows.ts';
import { type LoadedSchema, loadSchema } from './schema.ts';
import { fieldWriting, writing } from './writing.ts';

/** Look-ups of writer schemas that one codec has under way at a time. */
const LOOKUPS_AT_ONCE_MAX = 8;

export interface CodecOptions {
  readonly subject: string;
  /** Text of our schema: values are written with it, and read into its shape. */
  readonly schema: string;
  readonly limits?: Partial<Limits>;
}

/** Finds the text of a writer's schema; undefined where there is none. */
type LookUp = (id: number) => Promise<string | undefined>;

class ResolvingCodec<T> implements RecordCodec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly encodeField: RecordCodec<T>['encodeField'];
  readonly id: number;
  readonly #own: LoadedSchema;
  readonly #limits: Limits;
  readonly #lookUp: LookUp;
  /** By writer schema id; the reader is always ours. A writer that cannot be read is kept as its `Bad`. */
  readonly #writers = new Map<number, Writer<T> | Bad>();
  readonly #quickly: QuickRead<T> | undefined;
  #rows: Rows | undefined;

  constructor(own: LoadedSchema, id: number, limits: Limits, lookUp: LookUp) {
    this.#own = own;
    this.#limits = limits;
    this.#lookUp = lookUp;
    this.id = id;
    this.encode = writing(own, id);
    this.encodeField = fieldWriting(own);
    this.#writers.set(id, { read: readOwn<T>(own), rewrite: undefined, asOurs: true });
    this.#quickly = quicklyOwn<T>(own);
  }

  // Not async: nearly every call finds all ids known, and then there is nothing to wait for.
  prepare(values: Iterable<Uint8Array | null>): Promise<void> {
    let unseen: Set<number> | undefined;
    let last = -1;
    for (const value of values) {
      if (value === null) continue;
      const id = frameId(value);
      if (id === last) continue;
      last = id;
      if (id !== -1 && !this.#writers.has(id)) (unseen ??= new Set()).add(id);
    }
    return unseen === undefined ? Promise.resolve() : this.#resolve([...unseen]);
  }

  async #resolve(ids: readonly number[]): Promise<void> {
    for (let i = 0; i < ids.length; i += LOOKUPS_AT_ONCE_MAX)
      await Promise.all(ids.slice(i, i + LOOKUPS_AT_ONCE_MAX).map(id => this.#resolveOne(id)));
  }

  async #resolveOne(id: number): Promise<void> {
    const text = await this.#lookUp(id);
    // An id that does not exist today may exist tomorrow: only what was found is kept here.
    if (text !== undefined) this.#writers.set(id, resolveWriter<T>(this.#own, text, this.#limits));
  }

  #writerOf(value: Uint8Array): Writer<T> | Bad {
    const { valueBytesMax } = this.#limits;
    if (value.length > valueBytesMax)
      return new Bad(
        'too-large',
        `the value has ${value.length} bytes; at most ${valueBytesMax} are allowed`,
      );
    const id = frameId(value);
    if (id === -1) return badFrame(value);
    return (
      this.#writers.get(id) ??
      new Bad('unknown-schema', `the registry knows no schema ${id}: register it before producing`)
    );
  }

  decodeIn(bytes: Uint8Array, from: number, to: number): T | Bad {
    if (frameId(bytes, from, to) === this.id && to - from <= this.#limits.valueBytesMax) {
      const value = Buffer.isBuffer(bytes) ? this.#quickly?.(bytes, from + FRAME_BYTES, to) : undefined;
      if (value !== undefined) return value;
    }
    return this.decode(bytes.subarray(from, to));
  }

  decode(value: Uint8Array): T | Bad {
    const writer = this.#writerOf(value);
    return writer instanceof Bad ? writer : writer.read(value);
  }

  get fieldNames(): readonly string[] {
    return (this.#own.type as avsc.types.RecordType).fields.map(({ name }) => name);
  }

  get rows(): Rows {
    return (this.#rows ??= this.#makeRows());
  }

  /** Whether it is known, and of a schema whose values are the same bytes as of ours. */
  #isAlike(id: number): boolean {
    const writer = this.#writers.get(id);
    return writer !== undefined && !(writer instanceof Bad) && writer.asOurs;
  }

  /** A value of another schema, as we would have written it. */
  #rewritten({ rewrite, read }: Writer<T>, value: Uint8Array): Uint8Array | Bad {
    if (rewrite !== undefined) return rewrite(value) ?? keepOurs(this.id);
    const found = read(value);
    return found instanceof Bad ? found : this.encode(found);
  }

  #makeRows(): Rows {
    const layout = layoutOf(this.#own);
    const located = locating(layout);
    const { quick } = layout;
    const { valueBytesMax } = this.#limits;
    /** Of the last value that was written with our schema. */
    let alike = this.id;
    return rowsOf(this.#own, layout, (bytes, starts, base, from = 0, to = bytes.length) => {
      const id = frameId(bytes, from, to);
      if (id !== alike && this.#isAlike(id)) alike = id;
      // Nearly all are of our own schema, and then no view of them is needed.
      const isAlike = id === alike && to - from <= valueBytesMax;
      if (isAlike && quick(bytes, from + FRAME_BYTES, to, starts, base)) return bytes;
      const value = to - from === bytes.length ? bytes : bytes.subarray(from, to);
      const writer = this.#writerOf(value);
      if (writer instanceof Bad) return writer;
      if (writer.asOurs) return located(value, starts, base);
      const ours = this.#rewritten(writer, value);
      if (ours instanceof Bad || quick(ours, FRAME_BYTES, ours.length, starts, base)) return ours;
      return located(ours, starts, base);
    });
  }
}

/**
 * The codec of one topic's values. Looks our schema up under its subject and never registers it.
 * @throws SchemaNotRegistered naming the remedy. @throws RegistryUnavailable. @throws SchemaRefused for our own defect
 */
export const openCodec = async <T>(registry: Registry, options: CodecOptions): Promise<RecordCodec<T>> => {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const own = loadSchema(options.schema, limits);
  const id = await registry.idOf(options.subject, options.schema);
  if (id === undefined) throw new SchemaNotRegistered(options.subject);
  return new ResolvingCodec<T>(own, id, limits, writerId => registry.schemaById(writerId));
};

/** A codec without a registry, for tests and dry runs: knows its own schema, under the id given. */
export const localCodec = <T>(schema: string, id = 1, limits?: Partial<Limits>): RecordCodec<T> => {
  const all = { ...DEFAULT_LIMITS, ...limits };
  return new ResolvingCodec<T>(loadSchema(schema, all), id, all, () => Promise.resolve(undefined));
};
