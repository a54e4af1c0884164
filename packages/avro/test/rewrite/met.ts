import { Bad, DEFAULT_LIMITS, FRAME_BYTES, type Limits } from '../../src/index.ts';
import { readOwn, resolveWriter } from '../../src/reading.ts';
import { Moves } from '../../src/rewrite/moves.ts';
import { ours } from '../../src/rewrite/ours.ts';
import { rewriting } from '../../src/rewrite/rewrite.ts';
import { loadSchema, type TypeView } from '../../src/schema.ts';
import { newWalk } from '../../src/walk.ts';

/** Bytes behind a frame of whatever id. */
export const framed = (payload: Uint8Array | readonly number[]): Buffer =>
  Buffer.concat([Buffer.alloc(FRAME_BYTES), Buffer.from(payload)]);

/** A writer's schema met with ours: what avsc makes of a value, and what rewriting does. */
export const met = (writerText: string, readerText: string, limits: Limits = DEFAULT_LIMITS) => {
  const own = loadSchema(readerText, limits);
  const writer = loadSchema(writerText, limits);
  const byAvsc = resolveWriter<unknown>(own, writerText, limits);
  const rewrite = rewriting(writer, own);
  if (byAvsc instanceof Bad) throw new Error(byAvsc.message);
  if (rewrite === undefined) throw new Error('it is left to avsc');
  const types = [writer.type, own.type] as unknown as [TypeView, TypeView];
  const { put } = new Moves(writer, Infinity).meet(...types)!;
  const readOurs = readOwn<unknown>(own);
  const write = (value: unknown): Buffer => framed(own.type.toBuffer(value));
  const rewritten = (value: Uint8Array): Buffer | Bad =>
    rewrite(value) ?? framed(ours.view().subarray(FRAME_BYTES));
  return {
    encode: (value: unknown): Buffer => framed(writer.type.toBuffer(value)),
    /** Our bytes by way of avsc, which reads the writer's and writes ours. */
    rewrittenByAvsc: (value: Uint8Array): Buffer | Bad => {
      const found = byAvsc.read(value);
      return found instanceof Bad ? found : write(found);
    },
    rewritten,
    /** In the checked way, of what is unusual; undefined where there is a fault. */
    rewrittenChecked: (value: Uint8Array): Buffer | undefined => {
      const walk = { ...newWalk(), bytes: value, at: FRAME_BYTES };
      ours.begin();
      return put(walk) && walk.at === value.length ? framed(ours.view()) : undefined;
    },
    readOurs,
    /** What a value is in our schema, by way of our bytes: rounded where ours is a float. */
    read: (value: Uint8Array): unknown => {
      const found = rewritten(value);
      return found instanceof Bad ? found : readOurs(found);
    },
    readByAvsc: (value: Uint8Array): unknown => {
      const found = byAvsc.read(value);
      return found instanceof Bad ? found : readOurs(write(found));
    },
  };
};
