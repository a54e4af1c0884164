/** Puts the load on the features topic. */
import type { Codec } from '@millrace/avro';
import { type FeaturesValue, topicsOf } from '@millrace/contracts';
import { type Broker, murmur2Partition, type OutRecord, type PartitionOffset } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';
import { readOnce } from '../world/offsets.ts';
import type { BenchWorld } from '../world/open.ts';
import { eventIdOf } from './vectors.ts';

export interface Load {
  readonly topic: string;
  readonly partitions: number;
  readonly codec: Codec<FeaturesValue>;
  readonly vectors: readonly FeaturesValue[];
}

const CHUNK_RECORDS = 5_000;
const TICK_MS = 5;
/** Sends not yet acknowledged; a broker further behind than that makes the load wait. */
const OPEN_SENDS_MAX = 64;

const recordsOf = ({ topic, partitions, codec, vectors }: Load, from: number, to: number): OutRecord[] => {
  const records: OutRecord[] = [];
  for (let i = from; i < to; i++) {
    const vector = vectors[i % vectors.length]!;
    const key = Buffer.from(vector.entity);
    records.push({
      topic,
      partition: murmur2Partition(key, partitions),
      key,
      value: codec.encode({ ...vector, eventId: eventIdOf(i), sequence: i, appendTime: vector.eventTime }),
    });
  }
  return records;
};

/** Records `from` to `to` (exclusive), as fast as the broker takes them. */
export const fill = async (broker: Broker, load: Load, from: number, to: number): Promise<void> => {
  const producer = await broker.producer();
  try {
    for (let at = from; at < to; at += CHUNK_RECORDS)
      await producer.send(recordsOf(load, at, Math.min(to, at + CHUNK_RECORDS)));
  } finally {
    await producer.close();
  }
};

/** Fills the features topic and reads it once, so that it lies in the page cache. Returns where it ends. */
export const fillFeatures = async (
  { broker, pipeline, features: codec, say }: BenchWorld,
  vectors: readonly FeaturesValue[],
  records: number,
): Promise<readonly PartitionOffset[]> => {
  const { features: topic } = topicsOf(pipeline);
  say(`${vectors.length} different vectors; putting ${records} on ${topic}`);
  await fill(broker, { topic, partitions: pipeline.partitions, codec, vectors }, 0, records);
  if ((await readOnce(broker, topic)) !== records) throw new Error('the load is not as it was sent');
  return broker.admin.endOffsets(topic);
};

export interface Pace {
  readonly from: number;
  readonly recordsPerSecond: number;
  readonly seconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A steady rate for some seconds; resolves with the record after the last one, once all are acknowledged. */
export const paced = async (broker: Broker, load: Load, pace: Pace): Promise<number> => {
  const { from, recordsPerSecond, seconds, clock, signal } = pace;
  const producer = await broker.producer();
  const open = new Set<Promise<void>>();
  const until = from + Math.round(recordsPerSecond * seconds);
  const startMs = clock.now();
  const failures: unknown[] = [];
  let at = from;
  try {
    while (at < until && failures.length === 0) {
      const due = from + Math.floor(((clock.now() - startMs) / 1000) * recordsPerSecond);
      const to = Math.min(until, due);
      if (to > at && open.size < OPEN_SENDS_MAX) {
        const sent = producer.send(recordsOf(load, at, to)).then(
          () => void open.delete(sent),
          (error: unknown) => void failures.push(error),
        );
        open.add(sent);
        at = to;
      }
      await clock.sleep(TICK_MS, signal);
    }
    await Promise.all(open);
    if (failures.length > 0) throw failures[0];
  } finally {
    await producer.close();
  }
  return at;
};
