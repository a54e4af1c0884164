import type { PredictionValue } from '@millrace/contracts';

/** A prediction of event `e-<id>`. */
export const prediction = (id: string, changes: Partial<PredictionValue> = {}): PredictionValue => ({
  predictionId: id, eventId: `e-${id}`, revision: 0, sequence: 1, entity: 'C1', eventTime: Date.UTC(2026, 0, 5, 12, 0, 0, 1),
  appendTime: Date.UTC(2026, 0, 5, 12, 0, 1), scoredAt: Date.UTC(2026, 0, 5, 12, 0, 2), outputs: { score: 0.25 }, decision: 'approve',
  kpis: { expectedLoss: 2.5 }, model: 'fraud', modelVersion: '1', modelDigest: 'd', featureSet: 1, featureSetHash: 'h', controlRevision: 1,
  route: 'stream', routeVersion: 1, review: false, engine: 'cpu', arm: 'champion', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: 't',
  sourcePartition: 0, sourceOffset: 9, vectorOffset: 8, inputHash: 'i', batchId: 'b', runId: 'live', seq: 0, final: true,
  supersedes: null, traceparent: null, features: { amount: 10, gap: Number.NaN }, ...changes,
}); // prettier-ignore
