import type { PredictionValue } from '@millrace/contracts';
import postgres, { type Sql } from 'postgres';
import { MIGRATIONS } from './migrations.ts';

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

/** Another writer stored this partition further than we knew: our work is dropped and begun again from its offset. */
export class OvertakenError extends Error {
  constructor(at: SinkPartition, expected: number) {
    super(
      `another writer has stored ${at.topic}/${at.partition} past offset ${expected}; dropping this batch`,
    );
    this.name = 'OvertakenError';
  }
}

/** The topic or the cluster is not the one whose offsets are stored: offsets of one say nothing about the other. */
export class ForeignTopicError extends Error {
  constructor(at: SinkPartition, stored: { readonly cluster_id: string; readonly topic_id: string }) {
    super(
      `the stored offset of ${at.topic}/${at.partition} belongs to topic id ${stored.topic_id} of cluster ${stored.cluster_id}, ` +
        `but this is topic id ${at.topicId} of cluster ${at.clusterId}: the topic was recreated or the cluster replaced. ` +
        `Delete its rows from millrace.consumer_offsets to read it from the beginning.`,
    );
    this.name = 'ForeignTopicError';
  }
}

export interface Database {
  /** Brings the schema to the newest version; several instances may call it at once. */
  migrate(): Promise<void>;
  /** Offset stored next, or undefined where the partition is new. @throws ForeignTopicError */
  storedOffset(at: SinkPartition): Promise<number | undefined>;
  /**
   * Moves the offset from `expected` to `next` and upserts the rows in one transaction: of answers with one id the one
   * scored last stands, whichever way it came. @throws OvertakenError
   */
  store(
    at: SinkPartition,
    expected: number,
    next: number,
    pipeline: string,
    rows: readonly StoredPrediction[],
  ): Promise<void>;
  /** Answers to an event, newest revision and result first; empty when there is none. */
  predictions(pipeline: string, eventId: string): Promise<readonly Record<string, unknown>[]>;
  /** Rows of a pipeline, all and by decision. */
  summary(
    pipeline: string,
  ): Promise<{ readonly rows: number; readonly decisions: Readonly<Record<string, number>> }>;
  /** Throws when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const MIGRATION_LOCK = 7_291_001;
/** Columns taken from the JSON rows, in the table's own names and types. */
const COLUMNS = `prediction_id, pipeline, event_id, revision, sequence, entity, event_time, append_time, scored_at, role,
  decision, outputs, kpis, features, model, model_version, model_digest, feature_set, feature_set_hash, control_revision,
  route, route_version, arm, fallback, late, stale, source_topic, source_partition, source_offset, vector_offset,
  input_hash, batch_id, run_id, seq, final, supersedes, traceparent, topic, topic_partition, topic_offset`;

const timestamp = (ms: number): string => new Date(ms).toISOString();
/** JSON has no NaN: a missing figure is null there. */
const figures = (values: Readonly<Record<string, number>>): Record<string, number | null> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, Number.isFinite(value) ? value : null]),
  );

const toRow = (at: SinkPartition, pipeline: string, { prediction: p, offset }: StoredPrediction): object => ({
  prediction_id: p.predictionId, pipeline, event_id: p.eventId, revision: p.revision, sequence: p.sequence, entity: p.entity,
  event_time: timestamp(p.eventTime), append_time: timestamp(p.appendTime), scored_at: timestamp(p.scoredAt),
  role: p.role, decision: p.decision, outputs: figures(p.outputs), kpis: figures(p.kpis), features: figures(p.features),
  model: p.model, model_version: p.modelVersion, model_digest: p.modelDigest,
  feature_set: p.featureSet, feature_set_hash: p.featureSetHash, control_revision: p.controlRevision,
  route: p.route, route_version: p.routeVersion, arm: p.arm, fallback: p.fallback, late: p.late, stale: p.stale,
  source_topic: p.sourceTopic, source_partition: p.sourcePartition, source_offset: p.sourceOffset, vector_offset: p.vectorOffset,
  input_hash: p.inputHash, batch_id: p.batchId, run_id: p.runId, seq: p.seq, final: p.final, supersedes: p.supersedes,
  traceparent: p.traceparent, topic: at.topic, topic_partition: at.partition, topic_offset: offset,
}); // prettier-ignore

/** Of several rows with one id the last one stands: an upsert may not touch a row twice. */
const newestById = (rows: readonly StoredPrediction[]): StoredPrediction[] => [
  ...new Map(rows.map(row => [row.prediction.predictionId, row])).values(),
];

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

const storedOffset = async (sql: Sql, at: SinkPartition): Promise<number | undefined> => {
  const [row] = await sql<{ cluster_id: string; topic_id: string; next_offset: string }[]>`
    SELECT cluster_id, topic_id, next_offset FROM millrace.consumer_offsets
    WHERE consumer_group = ${at.group} AND topic = ${at.topic} AND partition = ${at.partition}`;
  if (row === undefined) return undefined;
  if (row.cluster_id !== at.clusterId || row.topic_id !== at.topicId) throw new ForeignTopicError(at, row);
  return Number(row.next_offset);
};

const store = async (
  sql: Sql,
  at: SinkPartition,
  [expected, next]: readonly [number, number],
  pipeline: string,
  rows: readonly StoredPrediction[],
): Promise<void> => {
  await sql.begin(async tx => {
    const moved = await tx`
      INSERT INTO millrace.consumer_offsets AS stored (cluster_id, consumer_group, topic, topic_id, partition, next_offset)
      VALUES (${at.clusterId}, ${at.group}, ${at.topic}, ${at.topicId}, ${at.partition}, ${next})
      ON CONFLICT (consumer_group, topic, partition) DO UPDATE SET next_offset = ${next}, updated_at = now()
      WHERE stored.next_offset = ${expected} AND stored.topic_id = ${at.topicId} AND stored.cluster_id = ${at.clusterId}`;
    if (moved.count === 0) throw new OvertakenError(at, expected);
    if (rows.length === 0) return;
    const json = newestById(rows).map(row => toRow(at, pipeline, row));
    await tx.unsafe(
      `INSERT INTO millrace.predictions (${COLUMNS})
       SELECT ${COLUMNS} FROM json_populate_recordset(NULL::millrace.predictions, $1::text::json)
       ON CONFLICT (prediction_id) DO UPDATE SET (${COLUMNS}, stored_at) =
         (${COLUMNS.replaceAll(/(\w+)/g, 'excluded.$1')}, now())
       WHERE predictions.scored_at <= excluded.scored_at`,
      [JSON.stringify(json)],
    );
  });
};

const summary = async (sql: Sql, pipeline: string): ReturnType<Database['summary']> => {
  const counts = await sql<{ decision: string; rows: string }[]>`
    SELECT decision, count(*) AS rows FROM millrace.predictions WHERE pipeline = ${pipeline} GROUP BY decision ORDER BY decision`;
  const decisions = Object.fromEntries(counts.map(c => [c.decision, Number(c.rows)]));
  return { rows: counts.reduce((sum, c) => sum + Number(c.rows), 0), decisions };
};

/** Where the database is, how it is spoken to, and how many connections may be open. */
export interface DatabaseOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  readonly password?: string;
  /** Options of `tls.connect`; without them the connection is in the clear. */
  readonly tls?: object;
  readonly connectionsMax: number;
  readonly connectTimeoutS: number;
}

/** Opens a pool of connections. Nothing is sent before the first call. */
export const openDatabase = (options: DatabaseOptions): Database => {
  const { password, tls } = options;
  const sql = postgres(options.url, {
    max: options.connectionsMax,
    connect_timeout: options.connectTimeoutS,
    ...(password !== undefined && { password }),
    ssl: tls ?? false,
    onnotice: () => undefined,
    connection: { application_name: 'millrace-sink' },
  });
  return {
    migrate: () => migrate(sql),
    storedOffset: at => storedOffset(sql, at),
    store: (at, expected, next, pipeline, rows) => store(sql, at, [expected, next], pipeline, rows),
    predictions: (pipeline, eventId) => sql`
      SELECT * FROM millrace.predictions WHERE pipeline = ${pipeline} AND event_id = ${eventId}
      ORDER BY revision DESC, seq DESC, stored_at DESC LIMIT 100`,
    summary: pipeline => summary(sql, pipeline),
    ping: () => sql`SELECT 1`.then(() => undefined),
    close: () => sql.end({ timeout: 5 }),
  };
};
