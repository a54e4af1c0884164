/** Values and their bytes: events as they come in, vectors as they go out and as they are read again. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Bad } from '@millrace/avro';
import { inputHash } from '@millrace/contracts';
import type { SharedBytes } from '@millrace/stream';
import { VectorBytes } from '../../../services/feature/src/vectorBytes.ts';
import { entityOf, type Passed } from './passed.ts';
import { KEPT, oneByOne, type Piece } from './piece.ts';

const HASH_DIGITS = 32;

const differ = (one: unknown, other: unknown, what: string): string | undefined =>
  isDeepStrictEqual(one, other) ? undefined : what;

const eventDecoded = ({ events, rows }: Passed, records: number): Piece =>
  oneByOne(
    'event decoded',
    { pool: rows, records },
    ({ value: { bytes, from, to } }) => events.decodeIn!(bytes, from, to),
    ({ event }, value) =>
      value instanceof Bad
        ? value.message
        : differ({ ...value }, event.fields, 'the event is not the one that was encoded'),
  );

const eventHashed = ({ rows }: Passed, records: number): Piece =>
  oneByOne(
    'event hashed',
    { pool: rows, records },
    ({ value }) => inputHash(value.bytes),
    ({ value }, hash) =>
      createHash('sha256').update(value.bytes).digest('hex').startsWith(hash) && hash.length === HASH_DIGITS
        ? undefined
        : 'the hash is not that of its bytes',
  );

const vectorLocated = ({ plan, vectors, values }: Passed, records: number): Piece => {
  const { rows } = vectors;
  const eventId = rows.field('eventId');
  const floats = plan.set.names.map(name => ({ name, field: rows.field(`features.${name}`) }));
  const starts = new Int32Array(KEPT * rows.slots);
  let base = 0;
  return oneByOne(
    'vector located',
    { pool: values.map(value => ({ value, bytes: vectors.encode(value) })), records },
    ({ bytes }) => {
      base = (base + rows.slots) % starts.length;
      return { located: rows.locate(bytes, starts, base), at: base };
    },
    ({ value }, { located, at }) => {
      if (located instanceof Bad) return located.message;
      const features = Object.fromEntries(
        floats.map(({ name, field }) => [name, field.read(located, starts, at)]),
      );
      return differ(
        [eventId.read(located, starts, at), features],
        [value.eventId, value.features],
        'the fields are not where they are',
      );
    },
  );
};

const OTHER_BYTES = 'the bytes are not those that the other way gives';

const valueOf = (writer: VectorBytes, { bytes, valueAt, end }: SharedBytes): Buffer => {
  writer.settle();
  return Buffer.from(bytes.slice(valueAt, end));
};

const vectorEncoded = ({ plan, vectors, rows, values }: Passed, records: number): Piece => {
  const writer = new VectorBytes(plan, vectors);
  return oneByOne(
    'vector encoded by the codec',
    { pool: rows.map((row, i) => ({ row, value: values[i]! })), records },
    ({ value }) => vectors.encode(value),
    ({ row }, made) => differ(Buffer.from(made), valueOf(writer, writer.of(row, entityOf(row))), OTHER_BYTES),
  );
};

const vectorWritten = ({ plan, vectors, rows, values }: Passed, records: number): Piece => {
  const writer = new VectorBytes(plan, vectors);
  return oneByOne(
    'vector written from its row',
    { pool: rows.map((row, i) => ({ row, value: values[i]! })), records },
    ({ row }) => writer.of(row, entityOf(row)),
    ({ value }, made) => differ(valueOf(writer, made), Buffer.from(vectors.encode(value)), OTHER_BYTES),
  );
};

export const avroPieces = (passed: Passed, records: number): readonly Piece[] => [
  eventDecoded(passed, records),
  eventHashed(passed, records),
  vectorLocated(passed, records),
  vectorEncoded(passed, records),
  vectorWritten(passed, records),
];
