/**
 * What the database says, told apart by what helps. A world that is away (`DatabaseAway`) is waited for; rows that it
 * cannot hold (`BadRows`) are bad data and never will be held; an overtaken writer begins again; a partition that is not
 * the one whose offset is stored (`StoredOffsetError`) stops the process until a person has decided.
 */
import type { SinkPartition } from './database.ts';

/** The database does not answer, or cannot work just now: the same call may succeed later. */
export class DatabaseAway extends Error {
  readonly retriable = true;
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'DatabaseAway';
  }
}

/** The database refuses these rows for what they hold. The message is its own word for the kind of error, no value. */
export class BadRows extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'BadRows';
  }
}

/** Another writer stored this partition further than we knew: our work is dropped and begun again from its offset. */
export class OvertakenError extends Error {
  constructor(at: SinkPartition, expected: number) {
    super(
      `another writer has stored ${at.topic}/${at.partition} past offset ${expected}; dropping this batch`,
    );
    this.name = 'OvertakenError';
  }
}

/** Stored offset and partition do not belong together. Going on could lose rows in silence, so a person decides. */
export class StoredOffsetError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StoredOffsetError';
  }
}

const nameOf = ({ topic, partition }: SinkPartition): string => `${topic}/${partition}`;
const ofTopic = ({ group, topic }: SinkPartition): string =>
  `WHERE consumer_group = '${group}' AND topic = '${topic}'`;
const rowOf = (at: SinkPartition): string => `${ofTopic(at)} AND partition = ${at.partition}`;

/** Offsets of one topic say nothing about another: the topic was made anew, or the cluster is another one. */
export const foreignTopic = (
  at: SinkPartition,
  stored: { readonly cluster_id: string; readonly topic_id: string },
): StoredOffsetError =>
  new StoredOffsetError(
    `the stored offset of ${nameOf(at)} belongs to topic id ${stored.topic_id} of cluster ${stored.cluster_id}, but this ` +
      `is topic id ${at.topicId} of cluster ${at.clusterId}: the topic was recreated or the cluster replaced. To read the ` +
      `new one from its beginning: DELETE FROM millrace.consumer_offsets ${ofTopic(at)}`,
  );

/** Retention has taken records that were not stored yet: the sink was away for too long, or the database is an older copy. */
export const lostRecords = (at: SinkPartition, stored: number, beginning: number): StoredOffsetError =>
  new StoredOffsetError(
    `${nameOf(at)} is stored up to offset ${stored}, but Kafka's oldest record is ${beginning}: those between are in ` +
      `neither. Restore a newer copy of the database, or go on without them: UPDATE millrace.consumer_offsets ` +
      `SET next_offset = ${beginning} ${rowOf(at)}`,
  );

/** Kafka has lost records that are stored here. New ones would take their offsets and pass for stored. */
export const shortLog = (at: SinkPartition, stored: number, end: number): StoredOffsetError =>
  new StoredOffsetError(
    `${nameOf(at)} is stored up to offset ${stored}, but it ends at ${end}: Kafka has lost records that are stored here, ` +
      `and new ones would pass for stored. To go on with what comes from now on: UPDATE millrace.consumer_offsets ` +
      `SET next_offset = ${end} ${rowOf(at)}`,
  );

/** SQLSTATE classes of a server that cannot work just now: connection, resources (a full disk), operator, system. */
const AWAY_CLASSES = new Set(['08', '53', '57', '58']);
/** Deadlock and serialization, a lock or a session that took too long, a server that is no primary just now. */
const AWAY_STATES = new Set(['40001', '40P01', '55P03', '25P03', '25006']);
/** Data exceptions, broken constraints, and what passes a limit, such as a text too long for an index. */
const BAD_CLASSES = new Set(['22', '23', '54']);
const SQLSTATE = /^[0-9A-Z]{5}$/;
/** How the client and the operating system name a connection that is not there. */
const NO_CONNECTION = new Set([
  'CONNECT_TIMEOUT', 'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'ECONNREFUSED', 'ECONNRESET',
  'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN',
]); // prettier-ignore

/** The database does not let us in, or we do not trust it: only a person can mend that. */
const REFUSED_CLASS = '28';
const NOT_TRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/;

/** The same error in our words; an error that is neither of the two is left as it is. */
export const inOurWords = (error: unknown): unknown => {
  // By its fields, not its class: an error of Node's own may be of another realm than ours.
  const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: string };
  if (typeof code !== 'string') return error;
  if (NOT_TRUSTED.test(code))
    return new Error(
      `the database's certificate is not accepted (${code}): PGSSLROOTCERT must hold what signs it, and it must be valid today and name the database's address`,
      { cause: error },
    );
  if (!SQLSTATE.test(code))
    return NO_CONNECTION.has(code)
      ? new DatabaseAway(`the database does not answer (${code})`, error)
      : error;
  const kind = code.slice(0, 2);
  if (kind === REFUSED_CLASS)
    return new Error(
      `the database does not let us in (${code}): check the user and password of DATABASE_URL, PGPASSWORD, PGSSLMODE`,
      { cause: error },
    );
  if (AWAY_CLASSES.has(kind) || AWAY_STATES.has(code))
    return new DatabaseAway(`the database cannot work just now: ${message} (${code})`, error);
  return BAD_CLASSES.has(kind) ? new BadRows(`the database cannot hold it (${code})`) : error;
};
