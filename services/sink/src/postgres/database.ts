import type { PredictionValue } from '@millrace/contracts';
import { type Clock, systemClock } from '@millrace/telemetry';
import type { Sql } from 'postgres';
import { foreignTopic, OvertakenError } from './errors.ts';
import { MIGRATIONS } from './migrations.ts';
import { Pool } from './pool.ts';
import { COLUMNS, rowsAsJson } from './rows.ts';

/** A prediction and where it stood on its topic. */
export interface StoredPrediction {
  readonly prediction: PredictionValue;
  readonly offset: number;
}

export interface SinkPartition {
  readonly clusterId: string;
  readonly group: string;
  readonly topic: string;
  readonly topicId: string;
  readonly partition: number;
}

/** Every call throws `DatabaseAway` while the database does not answer. */
export interface Database {
  /** Brings the schema to the newest version; several instances may call it at once. */
  migrate(): Promise<void>;
  /** @returns the offset stored next; a partition that is new begins at `first`. @throws StoredOffsetError for another topic */
  openPartition(at: SinkPartition, first: number): Promise<number>;
  /**
   * Moves the offset from `expected` to `next` and upserts the rows in one transaction: of answers with one id the one
   * scored last stands, whichever way it came. A call that was not answered may be made again: if the first one took
   * effect, the second is overtaken by it.
   * @throws OvertakenError when the offset is not `expected`. @throws BadRows when the database cannot hold the rows
   */
  store(
    at: SinkPartition,
    expected: number,
    next: number,
    pipeline: string,
    rows: readonly StoredPrediction[],
  ): Promise<void>;
  /** Those of the prediction ids that have a row. */
  storedIds(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Answers to an event, newest revision and result first; empty when there is none. */
  predictions(pipeline: string, eventId: string): Promise<readonly Record<string, unknown>[]>;
  /** Rows of a pipeline, all and by decision. */
  summary(
    pipeline: string,
  ): Promise<{ readonly rows: number; readonly decisions: Readonly<Record<string, number>> }>;
  close(): Promise<void>;
}

/** Where the database is, how it is spoken to, how many connections may be open, and how long they may be silent. */
export interface DatabaseOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly password?: string;
  /** Options of `tls.connect`; without them the connection is in the clear. */
  readonly tls?: object;
  readonly connectionsMax: number;
  readonly connectTimeoutS: number;
  /** Longest wait for the answer to one transaction; then its connection is given up. Default 30. */
  readonly answerTimeoutS?: number;
  readonly clock?: Clock;
}

const ANSWER_TIMEOUT_S = 30;
/** A migration may rewrite a large table. */
const MIGRATION_MS_MAX = 3_600_000;
const MIGRATION_LOCK = 7_291_001;
const migrate = (sql: Sql): Promise<void> =>
  sql
    .begin(async tx => {
      await tx`SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`;
      await tx.unsafe(`CREATE SCHEMA IF NOT EXISTS millrace;
        CREATE TABLE IF NOT EXISTS millrace.migrations (version integer PRIMARY KEY, name text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());`);
      const applied = await tx<{ version: number }[]>`SELECT version FROM millrace.migrations`;
      for (const step of MIGRATIONS.filter(m => !applied.some(a => a.version === m.version))) {
        await tx.unsafe(step.sql);
        await tx`INSERT INTO millrace.migrations (version, name) VALUES (${step.version}, ${step.name})`;
      }
    })
    .then(() => undefined);

const openPartition = async (sql: Sql, at: SinkPartition, first: number): Promise<number> => {
  await sql`
    INSERT INTO millrace.consumer_offsets (cluster_id, consumer_group, topic, topic_id, partition, next_offset)
    VALUES (${at.clusterId}, ${at.group}, ${at.topic}, ${at.topicId}, ${at.partition}, ${first})
    ON CONFLICT (consumer_group, topic, partition) DO NOTHING`;
  const [row] = await sql<{ cluster_id: string; topic_id: string; next_offset: string }[]>`
    SELECT cluster_id, topic_id, next_offset FROM millrace.consumer_offsets
    WHERE consumer_group = ${at.group} AND topic = ${at.topic} AND partition = ${at.partition}`;
  if (row === undefined) throw new OvertakenError(at, first); // Deleted in between: ask again.
  if (row.cluster_id !== at.clusterId || row.topic_id !== at.topicId) throw foreignTopic(at, row);
  return Number(row.next_offset);
};

/** Told to the server too, so that work we have given up holds no lock against those who come after us. */
const serverLimits = (answerMsMax: number): string =>
  `SET LOCAL statement_timeout = ${answerMsMax}; SET LOCAL idle_in_transaction_session_timeout = ${answerMsMax}`;

const store = async (
  sql: Sql,
  at: SinkPartition,
  [expected, next]: readonly [number, number],
  { json, answerMsMax }: { readonly json: string | undefined; readonly answerMsMax: number },
): Promise<void> => {
  await sql.begin(async tx => {
    const [, moved] = await Promise.all([
      tx.unsafe(serverLimits(answerMsMax)),
      tx`UPDATE millrace.consumer_offsets SET next_offset = ${next}, updated_at = now()
        WHERE consumer_group = ${at.group} AND topic = ${at.topic} AND partition = ${at.partition}
          AND next_offset = ${expected} AND topic_id = ${at.topicId} AND cluster_id = ${at.clusterId}`,
    ]);
    if (moved.count === 0) throw new OvertakenError(at, expected);
    if (json === undefined) return;
    await tx.unsafe(
      `INSERT INTO millrace.predictions (${COLUMNS})
       SELECT ${COLUMNS} FROM json_populate_recordset(NULL::millrace.predictions, $1::text::json)
       ON CONFLICT (prediction_id) DO UPDATE SET (${COLUMNS}, stored_at) =
         (${COLUMNS.replaceAll(/(\w+)/g, 'excluded.$1')}, now())
       WHERE predictions.scored_at <= excluded.scored_at`,
      [json],
    );
  });
};

const storedIds = async (sql: Sql, ids: readonly string[]): Promise<ReadonlySet<string>> => {
  const rows = await sql<{ prediction_id: string }[]>`
    SELECT prediction_id FROM millrace.predictions WHERE prediction_id = ANY(${ids as string[]})`;
  return new Set(rows.map(row => row.prediction_id));
};

const summary = async (sql: Sql, pipeline: string): ReturnType<Database['summary']> => {
  const counts = await sql<{ decision: string; rows: string }[]>`
    SELECT decision, count(*) AS rows FROM millrace.predictions WHERE pipeline = ${pipeline} GROUP BY decision ORDER BY decision`;
  const decisions = Object.fromEntries(counts.map(c => [c.decision, Number(c.rows)]));
  return { rows: counts.reduce((sum, c) => sum + Number(c.rows), 0), decisions };
};

/** Opens a pool of connections. Nothing is sent before the first call. */
export const openDatabase = (options: DatabaseOptions): Database => {
  const { answerTimeoutS = ANSWER_TIMEOUT_S, clock = systemClock } = options;
  const answerMsMax = answerTimeoutS * 1_000;
  const pool = new Pool({ ...options, answerMsMax, clock });
  return {
    migrate: () => pool.ask(migrate, MIGRATION_MS_MAX),
    openPartition: (at, first) => pool.ask(sql => openPartition(sql, at, first)),
    store: (at, expected, next, pipeline, rows) => {
      const json = rows.length === 0 ? undefined : rowsAsJson(at, pipeline, rows);
      return pool.ask(sql => store(sql, at, [expected, next], { json, answerMsMax }));
    },
    storedIds: ids => pool.ask(sql => storedIds(sql, ids)),
    predictions: (pipeline, eventId) =>
      pool.ask(
        sql => sql`
          SELECT * FROM millrace.predictions WHERE pipeline = ${pipeline} AND event_id = ${eventId}
          ORDER BY revision DESC, seq DESC, stored_at DESC LIMIT 100`,
      ),
    summary: pipeline => pool.ask(sql => summary(sql, pipeline)),
    close: () => pool.close(),
  };
};
