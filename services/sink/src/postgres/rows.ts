import type { PredictionValue } from '@millrace/contracts';
import type { SinkPartition, StoredPrediction } from './database.ts';

/** Columns taken from the JSON rows, in the table's own names and types. */
export const COLUMNS = `prediction_id, pipeline, event_id, revision, sequence, entity, event_time, append_time, scored_at, role,
  decision, outputs, kpis, features, model, model_version, model_digest, feature_set, feature_set_hash, control_revision,
  route, route_version, review, engine, arm, fallback, late, stale, source_topic, source_partition, source_offset, vector_offset,
  input_hash, batch_id, run_id, seq, final, supersedes, traceparent, topic, topic_partition, topic_offset`;

const timestamp = (ms: number): string => new Date(ms).toISOString();
/** JSON has no NaN: a missing figure is null there. */
const figures = (values: PredictionValue['kpis']): PredictionValue['kpis'] =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      typeof value === 'number' && !Number.isFinite(value) ? null : value,
    ]),
  );

const toRow = (at: SinkPartition, pipeline: string, { prediction: p, offset }: StoredPrediction): object => ({
  prediction_id: p.predictionId, pipeline, event_id: p.eventId, revision: p.revision, sequence: p.sequence, entity: p.entity,
  event_time: timestamp(p.eventTime), append_time: timestamp(p.appendTime), scored_at: timestamp(p.scoredAt),
  role: p.role, decision: p.decision, outputs: figures(p.outputs), kpis: figures(p.kpis), features: figures(p.features),
  model: p.model, model_version: p.modelVersion, model_digest: p.modelDigest,
  feature_set: p.featureSet, feature_set_hash: p.featureSetHash, control_revision: p.controlRevision,
  route: p.route, route_version: p.routeVersion, review: p.review, engine: p.engine, arm: p.arm, fallback: p.fallback, late: p.late, stale: p.stale,
  source_topic: p.sourceTopic, source_partition: p.sourcePartition, source_offset: p.sourceOffset, vector_offset: p.vectorOffset,
  input_hash: p.inputHash, batch_id: p.batchId, run_id: p.runId, seq: p.seq, final: p.final, supersedes: p.supersedes,
  traceparent: p.traceparent, topic: at.topic, topic_partition: at.partition, topic_offset: offset,
}); // prettier-ignore

/** Of several rows with one id the last one stands: an upsert may not touch a row twice. */
const newestById = (rows: readonly StoredPrediction[]): StoredPrediction[] => [
  ...new Map(rows.map(row => [row.prediction.predictionId, row])).values(),
];

export const rowsAsJson = (at: SinkPartition, pipeline: string, rows: readonly StoredPrediction[]): string =>
  JSON.stringify(newestById(rows).map(row => toRow(at, pipeline, row)));
