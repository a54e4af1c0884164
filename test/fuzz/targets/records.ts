import { gzipSync, zstdCompressSync } from 'node:zlib';
import { crc32c } from '@node-rs/crc32';
import { BrokerError, type OutRecord } from '@millrace/stream';
import { decodeFetched, type RawPartition } from '../../../packages/stream/src/kafka/fetch.ts';
import { recordBytesMax, writeBatch } from '../../../packages/stream/src/kafka/records/encode.ts';
import * as at from '../../../packages/stream/src/kafka/records/layout.ts';
import { fetchedRun } from '../../../packages/stream/src/kafka/run.ts';
import { must, type Target } from '../target.ts';
import { TROUBLE } from './avro.ts';

const GZIP = 1;
const ZSTD = 4;
const PRODUCER = 7n;

const recordsOf = (count: number): readonly OutRecord[] =>
  Array.from({ length: count }, (_, i) => ({
    topic: 't',
    partition: 0,
    key: i % 3 === 0 ? null : Buffer.from(`k${i}`),
    value: i % 5 === 4 ? null : Buffer.from(`value ${i}`.repeat(i)),
    headers:
      i % 2 === 0
        ? []
        : ([
            ['traceparent', Buffer.from(`${i}`)],
            ['', Buffer.alloc(0)],
          ] as const),
  }));

interface Kind {
  readonly codec?: number;
  /** Attributes beside the codec. */
  readonly flags?: number;
  readonly records?: readonly OutRecord[];
}

/** As a broker stores it, except that a codec is only named: `sealed` compresses, so that mutants are well compressed. */
const batchOf = (baseOffset: number, { codec = 0, flags = 0, records = recordsOf(6) }: Kind = {}): Buffer => {
  const into = Buffer.alloc(at.RECORDS_AT + records.reduce((sum, one) => sum + recordBytesMax(one), 0));
  const head = { producerId: PRODUCER, producerEpoch: 0, baseSequence: 0, transactional: false, timestampMs: 1.7e12 };
  const batch = into.subarray(0, writeBatch(into, 0, records, head));
  batch.writeBigInt64BE(BigInt(baseOffset), at.BASE_OFFSET_AT);
  batch.writeInt16BE(codec | flags, at.ATTRIBUTES_AT);
  return batch;
}; // prettier-ignore

const ABORT = { topic: 't', partition: 0, key: Buffer.from([0, 0, 0, 0]), value: Buffer.alloc(6) };

/** Compresses what says that it is, and writes lengths and checksums anew: most mutants would get no further else. */
const sealed = (bytes: Buffer): Buffer => {
  const batches: Buffer[] = [];
  let from = 0;
  while (from + at.RECORDS_AT <= bytes.length) {
    const length = bytes.readInt32BE(from + at.LENGTH_AT);
    const end = length < 0 ? bytes.length : Math.min(bytes.length, from + at.PREFIX_BYTES + length);
    if (end - from < at.RECORDS_AT) break;
    const head = Buffer.from(bytes.subarray(from, from + at.RECORDS_AT));
    const records = bytes.subarray(from + at.RECORDS_AT, end);
    const codec = head.readInt16BE(at.ATTRIBUTES_AT) & at.COMPRESSION_MASK;
    const packed = codec === GZIP ? gzipSync(records) : codec === ZSTD ? zstdCompressSync(records) : records;
    const batch = Buffer.concat([head, packed]);
    batch.writeInt32BE(batch.length - at.PREFIX_BYTES, at.LENGTH_AT);
    batch.writeUInt32BE(crc32c(batch.subarray(at.ATTRIBUTES_AT)), at.CRC_AT);
    batches.push(batch);
    from = end;
  }
  return Buffer.concat([...batches, bytes.subarray(from)]);
};

const int = (bytes: 2 | 4 | 8, value: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  if (bytes === 8) buffer.writeBigInt64BE(BigInt(value));
  else buffer.writeIntBE(value, 0, bytes);
  return buffer;
};
const list = (parts: readonly Buffer[]): Buffer => Buffer.concat([int(4, parts.length), ...parts]);

/** An answer to Fetch, version 11, with partitions of one topic. */
const answerOf = (partitions: readonly { batches: readonly Buffer[]; aborted?: readonly number[] }[]): Buffer => {
  const each = partitions.map(({ batches, aborted = [] }, partition) => {
    const bytes = Buffer.concat(batches);
    const aborts = aborted.map(first => Buffer.concat([int(8, Number(PRODUCER)), int(8, first)]));
    return Buffer.concat([int(4, partition), int(2, 0), int(8, 99), int(8, 99), int(8, 0), list(aborts), int(4, -1), int(4, bytes.length), bytes]);
  });
  return Buffer.concat([int(4, 0), int(2, 0), int(4, 0), list([Buffer.concat([int(2, 1), Buffer.from('t'), list(each)])])]);
}; // prettier-ignore

/** Everything that somebody may ask of what was fetched. @returns how many records there are */
const readAll = (raw: RawPartition, from: number): number => {
  const run = fetchedRun(raw, from);
  must(run.nextOffset >= from, 'reading does not go back');
  let bytes = 0;
  for (let i = 0; i < run.length; i++) {
    must(run.offset(i) >= from, 'no record lies before the offset that was asked for');
    must(!Number.isNaN(run.appendTimeMs(i)), 'a record has a time');
    bytes += (run.key(i)?.length ?? 0) + (run.value(i)?.length ?? 0);
    try {
      run.header(i, 'traceparent');
      for (const [, value] of run.headers(i)) must(value instanceof Uint8Array, 'a header has bytes');
    } catch (error) {
      if (!(error instanceof BrokerError)) throw error;
    }
  }
  must(bytes === run.bytes, 'the bytes of keys and values are counted');
  return run.length;
};

/** An answer that ends too early, or has numbers beyond 2^53, is a RangeError; batches that are none are a BrokerError. */
const answersTo = (input: Buffer): number => {
  let partitions: readonly RawPartition[];
  try {
    ({ partitions } = decodeFetched(input));
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
  let records = 0;
  for (const raw of partitions)
    for (const one of [raw, { ...raw, bytes: sealed(raw.bytes) }])
      for (const from of [0, 3])
        try {
          records += readAll(one, from);
        } catch (error) {
          if (!(error instanceof BrokerError)) throw error;
        }
  return records;
};

/** Answers to Fetch, from the bytes of the whole to each record's headers. */
export const recordsTarget = async (): Promise<Target> => {
  const open = batchOf(6, { flags: at.TRANSACTIONAL });
  const abort = batchOf(12, { flags: at.TRANSACTIONAL | at.CONTROL, records: [ABORT] });
  const empty = batchOf(13, { records: [] });
  empty.writeInt32BE(4, at.LAST_OFFSET_DELTA_AT);
  const compressed = [GZIP, ZSTD].map(codec => batchOf(0, { codec, records: recordsOf(40) }));
  const answers = [
    [{ batches: [batchOf(0), batchOf(6, { flags: at.LOG_APPEND_TIME }), empty] }],
    [{ batches: [batchOf(0), open, abort, empty, batchOf(18)], aborted: [6] }, { batches: [batchOf(0)] }],
    compressed.map(batch => ({ batches: [batch] })),
    compressed.map(batch => ({ batches: [sealed(batch)] })),
    [{ batches: [sealed(batchOf(0)), sealed(batchOf(6)).subarray(0, 90)] }],
  ].map(answerOf);
  for (const answer of answers) must(answersTo(answer) > 0, 'a good answer is read');
  return {
    name: 'records',
    samples: answers,
    words: [...TROUBLE, 'traceparent'],
    bytesMax: 262_144,
    run: input => void answersTo(Buffer.from(input)),
  };
};
