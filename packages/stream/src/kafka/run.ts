import type { RecordRun } from '../broker/port.ts';
import type { RawPartition } from './fetch.ts';
import { committedOnly } from './records/aborted.ts';
import { readBatches } from './records/batches.ts';
import { Records } from './records/records.ts';

/**
 * What was fetched of one partition from an offset on, without control records and aborted ones, as the port's view.
 * @throws BrokerError where the bytes are no record batches that we read
 */
export const fetchedRun = (fetched: RawPartition, from: number, until = Infinity): RecordRun => {
  const { topic, partition } = fetched;
  const where = `${topic}-${partition}`;
  const batches = readBatches(fetched.bytes, where);
  // Batches are fetched whole: the first may begin before the offset. Any may be empty, as compaction leaves them.
  const records = new Records(committedOnly(batches, fetched.aborted), from, until, where);
  return {
    topic,
    partition,
    length: records.length,
    bytes: records.bytes,
    nextOffset: Math.max(from, (batches.at(-1)?.lastOffset ?? -1) + 1),
    highWatermark: fetched.lastStableOffset,
    offset: i => records.offset(i),
    appendTimeMs: i => records.appendTimeMs(i),
    key: i => records.key(i),
    value: i => records.value(i),
    keyIn: (i, place) => records.keyIn(i, place),
    valueIn: (i, place) => records.valueIn(i, place),
    beginAlike: (i, j, bytes) => records.beginAlike(i, j, bytes),
    header: (i, name) => records.header(i, name),
    headers: i => records.headers(i),
  };
};
