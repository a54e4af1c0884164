import { placeOf } from '../broker/place.ts';
import type { RecordRun, TopicPartition } from '../broker/port.ts';
import type { Slice } from './log.ts';

/** Entries of the log as the port's view of a fetched run. */
export const sliceRun = (
  { topic, partition }: TopicPartition,
  { entries, nextOffset }: Slice,
  highWatermark: number,
): RecordRun => ({
  topic,
  partition,
  length: entries.length,
  bytes: entries.reduce((sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0), 0),
  nextOffset,
  highWatermark,
  offset: i => entries[i]!.offset,
  appendTimeMs: i => entries[i]!.timeMs,
  key: i => entries[i]!.key,
  value: i => entries[i]!.value,
  keyIn: (i, place) => placeOf(entries[i]!.key, place),
  valueIn: (i, place) => placeOf(entries[i]!.value, place),
  header: (i, name) => entries[i]!.headers.find(([other]) => other === name)?.[1],
  headers: i => entries[i]!.headers,
});
