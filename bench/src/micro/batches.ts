/** Record batches as Kafka has them: written, and read again as views. */
import type { OutRecord } from '@millrace/stream';
import { readBatches } from '../../../packages/stream/src/kafka/records/batches.ts';
import { recordBytesMax, writeBatch } from '../../../packages/stream/src/kafka/records/encode.ts';
import { RECORDS_AT } from '../../../packages/stream/src/kafka/records/layout.ts';
import { Records } from '../../../packages/stream/src/kafka/records/records.ts';
import type { Piece } from './piece.ts';

/** Some 200 kB of vectors. */
const BATCH_RECORDS = 500;
const WHERE = 'micro-0';
const HEAD = { producerId: 1n, producerEpoch: 0, baseSequence: 0, transactional: true, timestampMs: 0 };

const cut = (pool: readonly OutRecord[]): readonly (readonly OutRecord[])[] =>
  Array.from({ length: Math.ceil(pool.length / BATCH_RECORDS) }, (_, i) =>
    pool.slice(i * BATCH_RECORDS, (i + 1) * BATCH_RECORDS),
  );

const bytesMaxOf = (records: readonly OutRecord[]): number =>
  records.reduce((sum, record) => sum + recordBytesMax(record), RECORDS_AT);

/** Batches in turn, until there are as many records; the last may be a part of one. */
function* inTurn(
  batches: readonly (readonly OutRecord[])[],
  records: number,
): Generator<{ readonly at: number; readonly batch: readonly OutRecord[] }> {
  for (let left = records, i = 0; left > 0; i++) {
    const at = i % batches.length;
    const batch = batches[at]!;
    yield { at, batch: left < batch.length ? batch.slice(0, left) : batch };
    left -= batch.length;
  }
}

const recordsIn = (bytes: Buffer): Records => new Records(readBatches(bytes, WHERE), 0, Infinity, WHERE);

const areSame = (bytes: Buffer, batch: readonly OutRecord[]): boolean => {
  const found = recordsIn(bytes);
  return (
    found.length === batch.length &&
    batch.every(
      ({ key, value }, i) =>
        found.offset(i) === i && found.key(i)!.equals(key!) && found.value(i)!.equals(value!),
    )
  );
};

const bytesOf = (batch: readonly OutRecord[]): Buffer => {
  const into = Buffer.alloc(bytesMaxOf(batch));
  return into.subarray(0, writeBatch(into, 0, batch, HEAD));
};

const written = (batches: readonly (readonly OutRecord[])[], records: number): Piece => ({
  name: 'batches written',
  round: async meter => {
    const intos = batches.map(batch => Buffer.alloc(bytesMaxOf(batch)));
    const turns = [...inTurn(batches, records)];
    const ends = await meter.run(() => turns.map(({ at, batch }) => writeBatch(intos[at]!, 0, batch, HEAD)));
    // A batch is written over by the next of the same place.
    const last = new Map(turns.map(({ at, batch }, i) => [at, { batch, end: ends[i]! }]));
    for (const [at, { batch, end }] of last)
      if (!areSame(intos[at]!.subarray(0, end), batch)) return 'a batch has other records than were written';
    return undefined;
  },
});

const read = (batches: readonly (readonly OutRecord[])[], records: number): Piece => ({
  name: 'batches read',
  round: async meter => {
    // The same bytes again and again: fresh ones for every batch would time the memory, too.
    const written = new Map<readonly OutRecord[], Buffer>();
    const turns = [...inTurn(batches, records)].map(({ batch }) => {
      const bytes = written.get(batch) ?? bytesOf(batch);
      written.set(batch, bytes);
      return { batch, bytes };
    });
    const seen = { records: 0, bytes: 0, offsets: 0 };
    await meter.run(() => {
      for (const { bytes } of turns) {
        const found = recordsIn(bytes);
        for (let i = 0; i < found.length; i++) {
          seen.records++;
          seen.bytes += found.key(i)!.length + found.value(i)!.length;
          seen.offsets += found.offset(i);
        }
      }
    });
    const expected = { records: 0, bytes: 0, offsets: 0 };
    for (const { batch } of turns)
      for (const [i, { key, value }] of batch.entries()) {
        expected.records++;
        expected.bytes += key!.length + value!.length;
        expected.offsets += i;
      }
    const [is, should] = [JSON.stringify(seen), JSON.stringify(expected)];
    return is === should ? undefined : `read ${is}, written ${should}`;
  },
});

/** @param pool records that have a key and a value */
export const batchPieces = (pool: readonly OutRecord[], records: number): readonly Piece[] => {
  const batches = cut(pool);
  return [written(batches, records), read(batches, records)];
};
