/** Values and their bytes: events as they come in, vectors as they go out and as they are read again. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { Bad } from '@millrace/avro';
import { type FeaturesValue, inputHash } from '@millrace/contracts';
import { VectorBytes } from '../../../services/feature/src/vectorBytes.ts';
import type { Passed } from './passed.ts';
import { KEPT, oneByOne, type Piece } from './piece.ts';

const HASH_DIGITS = 32;

/** Vectors as bytes, as the feature service writes them. */
export const vectorBytesOf = ({ plan, vectors, rows }: Passed): readonly Uint8Array[] => {
  const writer = new VectorBytes(plan, vectors);
  return rows.map(row => writer.of(row, entityOf(row.event.fields)));
};

const entityOf = (fields: Readonly<Record<string, unknown>>): string => String(fields['customerId']);

const differ = (one: unknown, other: unknown, what: string): string | undefined =>
  isDeepStrictEqual(one, other) ? undefined : what;

const decodedVector = ({ vectors }: Passed, bytes: Uint8Array): FeaturesValue => {
  const value = vectors.decode(bytes);
  if (value instanceof Bad) throw new Error(`a vector of ours cannot be read: ${value.message}`);
  return value;
};

const eventDecoded = ({ events, rows }: Passed, records: number): Piece =>
  oneByOne(
    'event decoded',
    { pool: rows, records },
    ({ value }) => events.decode(value),
    ({ event }, value) =>
      value instanceof Bad
        ? value.message
        : differ({ ...value }, event.fields, 'the event is not the one that was encoded'),
  );

const eventHashed = ({ rows }: Passed, records: number): Piece =>
  oneByOne(
    'event hashed',
    { pool: rows, records },
    ({ value }) => inputHash(value),
    ({ value }, hash) =>
      createHash('sha256').update(value).digest('hex').startsWith(hash) && hash.length === HASH_DIGITS
        ? undefined
        : 'the hash is not that of its bytes',
  );

const vectorLocated = (passed: Passed, pool: readonly Uint8Array[], records: number): Piece => {
  const { rows } = passed.vectors;
  const names = passed.plan.set.names.map(name => ({ name, field: rows.field(`features.${name}`) }));
  const eventId = rows.field('eventId');
  const starts = new Int32Array(KEPT * rows.slots);
  let base = 0;
  return oneByOne(
    'vector located',
    { pool, records },
    bytes => {
      base = (base + rows.slots) % starts.length;
      return { value: rows.locate(bytes, starts, base), at: base };
    },
    (bytes, { value, at }) => {
      if (value instanceof Bad) return value.message;
      const { eventId: id, features } = decodedVector(passed, bytes);
      const found = Object.fromEntries(names.map(({ name, field }) => [name, field.read(value, starts, at)]));
      return differ(
        [eventId.read(value, starts, at), found],
        [id, { ...features }],
        'the fields are not where they are',
      );
    },
  );
};

const vectorEncoded = (passed: Passed, pool: readonly Uint8Array[], records: number): Piece =>
  oneByOne(
    'vector encoded by the codec',
    { pool: pool.map(bytes => ({ bytes, value: decodedVector(passed, bytes) })), records },
    ({ value }) => passed.vectors.encode(value),
    ({ bytes }, made) =>
      differ(Buffer.from(made), Buffer.from(bytes), 'the bytes are not those that are written from its row'),
  );

const vectorWritten = (passed: Passed, records: number): Piece => {
  const writer = new VectorBytes(passed.plan, passed.vectors);
  return oneByOne(
    'vector written from its row',
    { pool: passed.rows, records },
    row => writer.of(row, entityOf(row.event.fields)),
    (row, bytes) => {
      const value = decodedVector(passed, bytes);
      if (value.eventId !== row.event.eventId || value.inputHash !== inputHash(row.value))
        return 'the vector is of another event';
      return differ(
        Buffer.from(passed.vectors.encode(value)),
        Buffer.from(bytes),
        'the bytes are not those of the codec',
      );
    },
  );
};

export const avroPieces = (passed: Passed, records: number): readonly Piece[] => {
  const bytes = vectorBytesOf(passed);
  return [
    eventDecoded(passed, records),
    eventHashed(passed, records),
    vectorLocated(passed, bytes, records),
    vectorEncoded(passed, bytes, records),
    vectorWritten(passed, records),
  ];
};
