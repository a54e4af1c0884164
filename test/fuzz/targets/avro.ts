import { Bad, DEFAULT_LIMITS, localCodec, readFrame, SchemaRefused } from '@millrace/avro';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { resolveWriter } from '../../../packages/avro/src/reading.ts';
import { loadSchema } from '../../../packages/avro/src/schema.ts';
import { payments } from '../samples.ts';
import { must, type Target, textOf, utf8 } from '../target.ts';

export const TROUBLE = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  '\u0000',
  '\ud800',
  '\ufeff',
];

/** Schema texts of the catalogue, each once. */
export const SCHEMAS = [
  ...new Set(catalogue([fraud]).flatMap(({ value }) => (value === undefined ? [] : [value.schema]))),
];
const schemaOf = (topic: string): string =>
  catalogue([fraud]).find(({ name }) => name === topic)!.value!.schema;
export const EVENT = schemaOf('fraud.transactions.v1');

export const frameTarget = async (): Promise<Target> => ({
  name: 'frame',
  samples: [Buffer.from('0000000007aabbcc', 'hex'), Buffer.from('00', 'hex')],
  bytesMax: 64,
  run: input => {
    const found = readFrame(input);
    if (!(found instanceof Bad)) must(found.payload.length === input.length - 5, 'a frame has five bytes');
  },
});

/** Decoding with each schema of ours: what is read can be written again, and is then read as the same. */
export const avroTarget = async (): Promise<Target> => {
  const codecs = SCHEMAS.map((schema, i) => localCodec<object>(schema, i + 1));
  const event = codecs[SCHEMAS.indexOf(EVENT)]!;
  const map =
    '{"type":"record","name":"M","fields":[{"name":"m","type":{"type":"map","values":"string"}},{"name":"a","type":{"type":"array","items":{"type":"array","items":"boolean"}}}]}';
  const other = localCodec<object>(map, SCHEMAS.length + 1);
  codecs.push(other);
  const values = payments().map(one =>
    event.encode({ revision: 0, withdrawn: false, lineage: null, ...one }),
  );
  return {
    name: 'avro',
    samples: [...values, other.encode({ m: { a: 'b', constructor: 'c' }, a: [[true], []] })],
    words: TROUBLE,
    bytesMax: 262_144,
    run: input => {
      for (const [i, codec] of codecs.entries()) {
        if (input.length < 5) return;
        const framed = Buffer.from(input);
        framed.writeUInt32BE(i + 1, 1);
        framed[0] = 0;
        const value = codec.decode(framed);
        if (value instanceof Bad) continue;
        must(Object.getPrototypeOf(value) === Object.prototype, 'a record is a plain object');
        must(
          !(codec.decode(codec.encode(value)) instanceof Bad),
          'what was read can be written and read again',
        );
      }
    },
  };
};

/** The text of a writer's schema, as a registry gives it, and values of it. */
export const schemaTarget = async (): Promise<Target> => {
  const own = loadSchema(EVENT, DEFAULT_LIMITS);
  const values = payments().map(one => localCodec<object>(EVENT).encode({ revision: 0, withdrawn: false, lineage: null, ...one }));
  return {
    name: 'schema',
    samples: SCHEMAS.map(utf8),
    words: [...TROUBLE, '{"type":"array","items":', '{"type":"record","name":"R","fields":[', '"null"', '["null","string"]', '{"type":"fixed","size":0,"name":"F"}', '{"type":"map","values":', '[', '{"type":{"type":', '"logicalType":"decimal"', '"aliases":["Transaction"]', '1e999', '-1'],
    bytesMax: 300_000,
    run: input => {
      const text = textOf(input);
      const read = resolveWriter<object>(own, text, DEFAULT_LIMITS);
      if (!(read instanceof Bad))
        for (const value of values) {
          read.read(value);
          read.rewrite?.(value);
        }
      try {
        loadSchema(text, DEFAULT_LIMITS);
      } catch (error) {
        if (!(error instanceof SchemaRefused)) throw error;
      }
    },
  };
}; // prettier-ignore
