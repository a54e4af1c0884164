import { lostRecords, shortLog } from './postgres/errors.ts';
import type { SinkPartition } from './postgres/database.ts';

/** Where one partition stands, in Kafka and in the database, before it is read. */
export interface Standing {
  /** Offset of the oldest record that Kafka still has. */
  readonly beginning: number;
  /** End of the partition for a reader of committed records. */
  readonly end: number;
  /** What the group has committed to Kafka; the beginning where it has committed nothing. */
  readonly committed: number;
  /** What the database says is stored. */
  readonly stored: number;
}

/**
 * Where reading begins. The stored offset decides, whatever Kafka says of the group: a database that was restored to an
 * older state is filled again from there. Reading begins earlier where the group has committed less, because the dead
 * letters of what lies between may not have been sent.
 * @throws StoredOffsetError where rows would be missing, or would pass for stored, without anybody hearing of it
 */
export const beginOf = (at: SinkPartition, { beginning, end, committed, stored }: Standing): number => {
  if (stored < beginning) throw lostRecords(at, stored, beginning);
  if (stored > end) throw shortLog(at, stored, end);
  return Math.max(Math.min(stored, committed), beginning);
};
