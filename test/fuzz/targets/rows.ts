import { isDeepStrictEqual } from 'node:util';
import {
  Bad,
  DEFAULT_LIMITS,
  type Field,
  FRAME_BYTES,
  localCodec,
  memoryRegistry,
  openCodec,
  type RecordCodec,
} from '@millrace/avro';
import { layoutOf } from '../../../packages/avro/src/layout.ts';
import { loadSchema } from '../../../packages/avro/src/schema.ts';
import { type Schema, valueOf } from '../samples.ts';
import { must, type Target } from '../target.ts';
import { EVENT, SCHEMAS, TROUBLE } from './avro.ts';

/** Values are located behind slots of others. */
const BASE = 3;

interface Reader {
  readonly codec: RecordCodec<object>;
  /** Id of the writer's schema. */
  readonly id: number;
  /** The value as avsc reads the bytes of our schema. @throws where it refuses them */
  readonly byAvsc: (payload: Buffer) => unknown;
  /** By path, those of records within it too, in the order of their bytes. */
  readonly fields: readonly (readonly [path: string, Field])[];
  readonly starts: Int32Array;
}

const readerOf = (codec: RecordCodec<object>, schema: string, id: number): Reader => {
  const own = loadSchema(schema, DEFAULT_LIMITS);
  const { rows } = codec;
  return {
    codec,
    id,
    byAvsc: payload => own.type.fromBuffer(payload),
    fields: [...layoutOf(own).places.keys()].map(path => [path, rows.field(path)] as const),
    starts: new Int32Array(BASE + rows.slots),
  };
};

const at = (value: unknown, path: string): unknown =>
  path.split('.').reduce((of, name) => (of as Record<string, unknown>)[name], value);

/** Located exactly where it can be decoded; and then each field is what avsc makes of it, and they lie side by side. */
const compare = ({ codec, byAvsc, fields, starts }: Reader, framed: Buffer): boolean => {
  const decoded = codec.decode(framed);
  const { length } = framed;
  const between = codec.rows.locate(Buffer.concat([framed, framed, framed]), starts, BASE, length, 2 * length);
  const located = codec.rows.locate(framed, starts, BASE);
  must(between instanceof Bad === located instanceof Bad, 'between others it is what it is alone');
  must(located instanceof Bad === decoded instanceof Bad, 'what can be located can be decoded, and no other');
  // Of two faults in one value, each may tell the other.
  if (located instanceof Bad) return false;
  let value: unknown;
  try {
    value = byAvsc(Buffer.from(located.subarray(FRAME_BYTES)));
  } catch (error) {
    throw new Error(`broken: what avsc refuses is refused (${(error as Error).message})`, { cause: error });
  }
  must(isDeepStrictEqual(decoded, value), 'a value is what avsc reads');
  let end = FRAME_BYTES;
  for (const [path, field] of fields) {
    must(isDeepStrictEqual(field.read(located, starts, BASE), at(value, path)), `the field ${path} is what avsc reads`);
    // A record comes behind its own fields.
    if (field.place.type.typeName === 'record') continue;
    must(field.start(starts, BASE) === end, 'a field begins where the one before it ends');
    end = field.end(starts, BASE);
  }
  must(end === located.length, 'the last field ends with the value');
  return true;
}; // prettier-ignore

/** Events of a writer whose schema has the same fields in another order, one of them narrower, and one more. */
const foreignReader = async (): Promise<Reader> => {
  const registry = memoryRegistry();
  const subject = 'events-value';
  await registry.register(subject, EVENT);
  const { fields, ...schema } = JSON.parse(EVENT) as { readonly fields: readonly { readonly name: string }[] };
  const narrower = fields.map(field => (field.name === 'amount' ? { ...field, type: 'float' } : field));
  const [last, ...others] = narrower.toReversed();
  // Types that are named in the schema must stand where they are first used.
  const foreign = JSON.stringify({ ...schema, fields: [last, { name: 'more', type: 'string' }, ...others] });
  const id = await registry.register('foreign-value', foreign);
  const codec = await openCodec<object>(registry, { subject, schema: EVENT });
  const frame = Buffer.alloc(FRAME_BYTES);
  frame.writeUInt32BE(id, 1);
  await codec.prepare([frame]);
  const sample = localCodec<object>(foreign, id).encode(valueOf(JSON.parse(foreign) as Schema, 'last') as object);
  must(compare(readerOf(codec, EVENT, id), Buffer.from(sample)), 'a good value of a foreign writer is located');
  return readerOf(codec, EVENT, id);
}; // prettier-ignore

/** Values left in their bytes, as feature and inference read them, against avsc. */
export const rowsTarget = async (): Promise<Target> => {
  const records = SCHEMAS.filter(schema => (JSON.parse(schema) as { readonly type: unknown }).type === 'record');
  const readers = records.map((schema, i) => readerOf(localCodec<object>(schema, i + 1), schema, i + 1));
  const samples = readers.flatMap((reader, i) =>
    (['first', 'last'] as const).map(branch => {
      const sample = reader.codec.encode(valueOf(JSON.parse(records[i]!) as Schema, branch) as object);
      must(compare(reader, Buffer.from(sample)), 'a good value is located');
      return Buffer.from(sample);
    }),
  );
  const all = [...readers, await foreignReader()];
  return {
    name: 'rows',
    samples,
    words: TROUBLE,
    bytesMax: 262_144,
    run: input => {
      if (input.length < FRAME_BYTES) return;
      const framed = Buffer.from(input);
      framed[0] = 0;
      for (const reader of all) {
        framed.writeUInt32BE(reader.id, 1);
        compare(reader, framed);
      }
    },
  };
}; // prettier-ignore
