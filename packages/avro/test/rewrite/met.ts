import { Bad, DEFAULT_LIMITS, FRAME_BYTES, type Limits } from '../../src/index.ts';
import { readOwn, resolveWriter } from '../../src/reading.ts';
import { ours } from '../../src/rewrite/ours.ts';
import { rewriting } from '../../src/rewrite/rewrite.ts';
import { loadSchema } from '../../src/schema.ts';

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
