import { Bad } from './bad.ts';
import type { Codec, Registry } from './codec.ts';
import { SchemaNotRegistered } from './errors.ts';
import { badFrame, FRAME_BYTES, frameId } from './frame.ts';
import { DEFAULT_LIMITS, type Limits } from './limits.ts';
import { type Read, readOwn, resolveWriter } from './reading.ts';
import { type LoadedSchema, loadSchema } from './schema.ts';
import { writing } from './writing.ts';

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

class ResolvingCodec<T> implements Codec<T> {
  readonly encode: (value: T) => Uint8Array;
  readonly #own: LoadedSchema;
  readonly #limits: Limits;
  readonly #lookUp: LookUp;
  /** By writer schema id; the reader is always ours. A writer that cannot be read is kept as its `Bad`. */
  readonly #readers = new Map<number, Read<T> | Bad>();

  constructor(own: LoadedSchema, id: number, limits: Limits, lookUp: LookUp) {
    this.#own = own;
    this.#limits = limits;
    this.#lookUp = lookUp;
    this.encode = writing(own, id);
    this.#readers.set(id, readOwn<T>(own));
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
      if (id !== -1 && !this.#readers.has(id)) (unseen ??= new Set()).add(id);
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
    if (text !== undefined) this.#readers.set(id, resolveWriter<T>(this.#own, text, this.#limits));
  }

  decode(value: Uint8Array): T | Bad {
    const { valueBytesMax } = this.#limits;
    if (value.length > valueBytesMax)
      return new Bad(
        'too-large',
        `the value has ${value.length} bytes; at most ${valueBytesMax} are allowed`,
      );
    const id = frameId(value);
    if (id === -1) return badFrame(value);
    const read = this.#readers.get(id);
    if (read === undefined)
      return new Bad('unknown-schema', `the registry knows no schema ${id}: register it before producing`);
    return read instanceof Bad ? read : read(value.subarray(FRAME_BYTES));
  }
}

/**
 * The codec of one topic's values. Looks our schema up under its subject and never registers it.
 * @throws SchemaNotRegistered naming the remedy. @throws RegistryUnavailable. @throws SchemaRefused for our own defect
 */
export const openCodec = async <T>(registry: Registry, options: CodecOptions): Promise<Codec<T>> => {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const own = loadSchema(options.schema, limits);
  const id = await registry.idOf(options.subject, options.schema);
  if (id === undefined) throw new SchemaNotRegistered(options.subject);
  return new ResolvingCodec<T>(own, id, limits, writerId => registry.schemaById(writerId));
};

/** A codec without a registry, for tests and dry runs: knows its own schema, under the id given. */
export const localCodec = <T>(schema: string, id = 1, limits?: Partial<Limits>): Codec<T> => {
  const all = { ...DEFAULT_LIMITS, ...limits };
  return new ResolvingCodec<T>(loadSchema(schema, all), id, all, () => Promise.resolve(undefined));
};
