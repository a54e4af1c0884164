/**
 * What a night is over: for each partition of the compacted features topic the offset behind its last record. Compaction
 * takes only records that a newer one of their key has replaced, and only when that newer one has been there for
 * `min.compaction.lag.ms`: for that long after the moment of the slice, every vector that was the newest then is there.
 */
import type { Stretch } from '@millrace/contracts';
import type { Admin, PartitionOffset, TopicDescription } from '@millrace/stream';

/** The run cannot be done as it was asked for; the message says why, and what can be done. */
export class NightRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NightRefused';
  }
}

/** A run that begins so near the limit could not read its slice in time. */
const MARGIN_MS = 3_600_000;
const LAG = 'min.compaction.lag.ms';

const offsetOf = (at: readonly PartitionOffset[], partition: number): number | undefined =>
  at.find(one => one.partition === partition)?.offset;

/** Ends of a topic by partition. */
export const endsOf = async (admin: Admin, topic: string): Promise<readonly number[]> => {
  const ends: number[] = [];
  for (const { partition, offset } of await admin.endOffsets(topic)) ends[partition] = offset;
  return ends;
};

/** @param asOfMs vectors appended before it; without it: all that are there now */
export const captureSlice = async (
  admin: Admin,
  topic: string,
  asOfMs: number | undefined,
): Promise<readonly Stretch[]> => {
  const [starts, ends] = await Promise.all([admin.beginningOffsets(topic), admin.endOffsets(topic)]);
  const untils = asOfMs === undefined ? ends : await admin.offsetsAtTime(topic, asOfMs);
  return ends
    .map(({ partition, offset }) => ({
      topic,
      partition,
      from: offsetOf(starts, partition) ?? 0,
      // What is behind the end belongs to a transaction that is still open.
      until: Math.min(offset, offsetOf(untils, partition) ?? offset),
    }))
    .toSorted((a, b) => a.partition - b.partition);
};

const keptMs = ({ config }: TopicDescription): number => Number(config[LAG] ?? 0);
const isKept = (topic: TopicDescription, atMs: number, nowMs: number): boolean =>
  nowMs - atMs <= Math.max(0, keptMs(topic) - MARGIN_MS);

/** Whether every vector that was the newest at the time is still there, for as long as it takes to read them. */
export const sliceIsWhole = async (
  admin: Admin,
  topic: string,
  atMs: number,
  nowMs: number,
): Promise<boolean> => {
  const [described] = await admin.describeTopics([topic]);
  return described !== undefined && isKept(described, atMs, nowMs);
};

/** @throws NightRefused where compaction may have taken vectors that were the newest at the time */
export const refuseTooOld = async (
  admin: Admin,
  topic: string,
  atMs: number,
  nowMs: number,
): Promise<void> => {
  const [described] = await admin.describeTopics([topic]);
  if (described === undefined) throw new NightRefused(`there is no topic ${topic}: millrace topics apply --execute`);
  if (isKept(described, atMs, nowMs)) return;
  throw new NightRefused(
    `the slice is of ${new Date(atMs).toISOString()}, and ${topic} keeps what was replaced for ${LAG} = ${keptMs(described)} ms only: ` +
      'vectors that were the newest then may be gone. Run it over a later time, or with another --run over now',
  );
}; // prettier-ignore
