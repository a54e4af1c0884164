import type avsc from 'avsc';
import { Bad } from './bad.ts';
import { FRAME_BYTES } from './frame.ts';
import type { Limits } from './limits.ts';
import { type QuickRead, quickReadOf } from './quickRead.ts';
import { type Rewrite, rewriting } from './rewrite/rewrite.ts';
import { type LoadedSchema, loadSchema, type TypeView } from './schema.ts';
import { newWalk } from './walk.ts';

/** Reads framed values of one writer schema into values of ours. Never throws for bad bytes. */
export type Read<T> = (value: Uint8Array) => T | Bad;

// Walks are synchronous and never nested: one is enough.
const shared = newWalk();

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const reading = <T>(writer: LoadedSchema, reader: avsc.Type, resolver?: avsc.Resolver): Read<T> => {
  return value => {
    shared.bytes = value;
    shared.at = FRAME_BYTES;
    if (!writer.walk(shared))
      return new Bad(shared.reason, shared.message, shared.path === '' ? undefined : shared.path);
    if (shared.at !== value.length)
      return new Bad('bad-value', `${value.length - shared.at} bytes are left over after the value`);
    try {
      return reader.decode(asBuffer(value), FRAME_BYTES, resolver).value as T;
    } catch (error) {
      return new Bad('bad-value', `the value cannot be read: ${(error as Error).message}`);
    }
  };
};

/** A writer's schema, met with ours. */
export interface Writer<T> {
  readonly read: Read<T>;
  /** Undefined where its values are ours as they lie, and where they can only be read and written anew. */
  readonly rewrite: Rewrite | undefined;
  /** Its values are, byte for byte, what ours would be: the schemas differ in words only. */
  readonly asOurs: boolean;
}

/** How the values of a writer's schema are read with ours, or why they cannot be. Worked out once per pair. */
export const resolveWriter = <T>(
  reader: LoadedSchema,
  writerText: string,
  limits: Limits,
): Writer<T> | Bad => {
  try {
    const writer = loadSchema(writerText, limits);
    const resolver = reader.type.createResolver(writer.type);
    const asOurs = writer.type.fingerprint('md5').equals(reader.type.fingerprint('md5'));
    return {
      // Measured: where an object is wanted, avsc's resolver makes it quicker than bytes are rewritten and then read.
      read: reading<T>(writer, reader.type, resolver),
      rewrite: asOurs ? undefined : rewriting(writer, reader),
      asOurs,
    };
  } catch (error) {
    return new Bad(
      'schema-mismatch',
      `the writer's schema cannot be read with ours: ${(error as Error).message}`,
    );
  }
};

/** Reads what was written with our own schema. */
export const readOwn = <T>(own: LoadedSchema): Read<T> => reading<T>(own, own.type);

/** The same from the midst of bytes, where it goes quickly; undefined is no verdict. */
export const quicklyOwn = <T>({ type, limits }: LoadedSchema): QuickRead<T> | undefined =>
  quickReadOf<T>(type as unknown as TypeView, limits);
