import { Bad } from '../bad.ts';
import { DOUBLE_BYTES } from '../floats.ts';
import { FRAME_BYTES, writeFrame } from '../frame.ts';
import type { LoadedSchema, TypeView } from '../schema.ts';
import { newWalk } from '../walk.ts';
import { quickMove } from './located.ts';
import { Moves } from './moves.ts';
import { ours } from './ours.ts';

/**
 * Writes to `ours` what the bytes of a framed value are in our schema, behind room for the frame. A value that does not fit
 * the writer's schema is a `Bad`, as is one that grows beyond measure.
 */
export type Rewrite = (value: Uint8Array) => Bad | undefined;

/** An int of one byte may become a double and the branch that it is of. What grows more does so by defaults. */
const GROWTH_MAX = DOUBLE_BYTES + 1;

// Walks are synchronous and never nested: one is enough.
const shared = newWalk();

/**
 * Values of a writer's schema as bytes of ours, in one pass and without a value being made: equal encodings are copied,
 * fields moved, left out, or added with their defaults, numbers widened, branches and symbols given the numbers that they
 * have in ours.
 *
 * It takes whatever avsc resolves, by the same rules: fields by name or alias; records, enums and fixed by name with
 * namespace, or alias; what is no union, and each branch of a writer's union, into the first of our branches that can take
 * it; a writer's union only where each of its branches can be taken. So a nullable field of a writer is no field of ours that
 * may not be null. Undefined where two schemas do not meet by these rules: avsc has the last word then.
 *
 * What it does not do as avsc does: an array or map keeps its blocks, a number its superfluous bytes, a text its bytes that
 * are no UTF-8, a map a key that comes twice. Read with our schema, they are the same values.
 */
export const rewriting = (writer: LoadedSchema, reader: LoadedSchema): Rewrite | undefined => {
  const moves = new Moves(writer, reader.limits.valueBytesMax * GROWTH_MAX);
  const put = moves.meet(writer.type as unknown as TypeView, reader.type as unknown as TypeView)?.put;
  const quickly = put && quickMove(writer, reader, moves);
  if (put === undefined) return undefined;
  const begin = (value: Uint8Array): void => {
    shared.bytes = value;
    shared.at = FRAME_BYTES;
    ours.begin();
    ours.skip(FRAME_BYTES);
  };
  return value => {
    begin(value);
    if (quickly?.(shared) === true) return undefined;
    begin(value);
    if (!put(shared))
      return new Bad(shared.reason, shared.message, shared.path === '' ? undefined : shared.path);
    if (shared.at === value.length) return undefined;
    return new Bad('bad-value', `${value.length - shared.at} bytes are left over after the value`);
  };
};

/** What was rewritten last, framed, in memory that stays as it is. */
export const keepOurs = (id: number): Uint8Array => {
  const { length, memory } = ours;
  const start = ours.leave();
  const value = memory.subarray(start, start + length);
  writeFrame(value, id);
  return value;
};
