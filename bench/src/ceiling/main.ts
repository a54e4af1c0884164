/**
 * What the machine gives beside this broker: our client with nothing between reading and writing. Each vector is written
 * back with as many bytes more as a prediction has, to the same partition; nothing is decoded, scored or encoded, and
 * nothing measured, routed or kept. It is no peer, as it answers nothing: the others are told as shares of it. `main.ts JOB`
 */
import { readFileSync } from 'node:fs';
import {
  kafkaBroker, type Membership, noPlace, Pieces, placeOfKey, type Producer, type RecordRun, SharedRecord,
  type TransactionalProducer,
} from '@millrace/stream'; // prettier-ignore
import { noLogger, systemClock } from '@millrace/telemetry';
import type { Job } from '../job.ts';

/** A prediction has so many bytes more than its vector: the judge says how large answers are. */
const ANSWER_BYTES_MORE = 162;
/** Fetched and not yet written, bytes at most; one more run of each partition may come. */
const WAITING_BYTES_MAX = 4 * 1_048_576;
/** Requests under way at most. */
const SENDS_MAX = 4;
const FETCH_BYTES_PER_PARTITION_MAX = 512 * 1024;
const KEPT_BYTES_MAX = 16 * 1_048_576;

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Job;
const broker = kafkaBroker({
  bootstrapServers: job.bootstrap,
  clientId: job.contestant,
  logger: noLogger,
  clock: systemClock,
});
const pieces = new Pieces(KEPT_BYTES_MAX);
const place = noPlace();

/** Records for the answers topic, all in one piece of memory. */
const copied = (run: RecordRun): readonly [Buffer, readonly SharedRecord[]] => {
  const bytes = pieces.take(run.bytes + run.length * ANSWER_BYTES_MORE);
  let at = 0;
  const put = (): void => {
    bytes.set(place.bytes.subarray(place.from, place.to), at);
    at += place.to - place.from;
  };
  const records = Array.from({ length: run.length }, (_, i) => {
    const keyAt = at;
    if (placeOfKey(run, i, place)) put();
    const valueAt = at;
    if (run.valueIn!(i, place)) put();
    at += ANSWER_BYTES_MORE;
    return SharedRecord.of(job.outTopic, run.partition, { bytes, keyAt, valueAt, end: at });
  });
  return [bytes, records];
};

interface Way {
  send(records: readonly SharedRecord[]): Promise<void>;
  commit(member: Membership, positions: ReadonlyMap<number, number>): Promise<void>;
}

const offsetsOf = (positions: ReadonlyMap<number, number>) =>
  [...positions].map(([partition, offset]) => ({ topic: job.inTopic, partition, offset }));

const atLeastOnce = (producer: Producer): Way => ({
  send: records => producer.send(records),
  commit: (member, positions) => member.commit(offsetsOf(positions)),
});

const exactlyOnce = (producer: TransactionalProducer): Way => ({
  send: records => producer.send(records),
  commit: async (member, positions) => {
    await producer.sendOffsets(member.member(), offsetsOf(positions));
    await producer.commit();
  },
});

const way = job.exactlyOnce
  ? exactlyOnce(await broker.transactionalProducer(job.group))
  : atLeastOnce(await broker.producer());

let waiting: RecordRun[] = [];
let waitingBytes = 0;
let wake = (): void => {};
const fail = (error: unknown): never => {
  process.stderr.write(`${String(error)}\n`);
  process.exit(1);
};
const member = await broker.join(
  { group: job.group, topics: [job.inTopic], fetchBytesPerPartitionMax: FETCH_BYTES_PER_PARTITION_MAX },
  {
    assigned: () => Promise.resolve(),
    run: run => {
      waiting.push(run);
      waitingBytes += run.bytes;
      if (waitingBytes > WAITING_BYTES_MAX) member.pause(partitions);
      wake();
    },
    failed: fail,
  },
);
const partitions = Array.from({ length: job.partitions }, (_, partition) => ({
  topic: job.inTopic,
  partition,
}));

const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
  wake();
});
const positions = new Map<number, number>();
const sends = new Set<Promise<void>>();
const send = (run: RecordRun): void => {
  const [bytes, records] = copied(run);
  positions.set(run.partition, run.nextOffset);
  const sent: Promise<void> = way.send(records).then(() => {
    pieces.give(bytes);
    sends.delete(sent);
  }, fail); // prettier-ignore
  sends.add(sent);
};
for (let committedMs = performance.now(); !stop.signal.aborted;) {
  const left = committedMs + job.commitMs - performance.now();
  if (waiting.length === 0 && (left > 0 || positions.size === 0))
    await new Promise<void>(resolve => {
      wake = resolve;
      setTimeout(resolve, Math.max(1, left));
    });
  const runs = waiting;
  waiting = [];
  if (waitingBytes > WAITING_BYTES_MAX) member.resume(partitions);
  waitingBytes = 0;
  for (const run of runs) {
    if (run.length > 0) send(run);
    if (sends.size >= SENDS_MAX) await Promise.race(sends);
  }
  if (positions.size === 0 || performance.now() - committedMs < job.commitMs) continue;
  await Promise.all(sends);
  await way.commit(member, positions);
  positions.clear();
  committedMs = performance.now();
}
await Promise.all(sends);
await broker.close();
