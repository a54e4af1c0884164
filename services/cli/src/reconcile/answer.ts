/** Predictions reduced to what they are compared by, because millions of them are held side by side. */
import { hash } from 'node:crypto';
import { numericKpis, type PredictionValue, scoredValues } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';

/** What answered, and how it was in force: the same for very many answers, so it is held once. */
export interface Origin {
  readonly model: string;
  readonly modelVersion: string;
  readonly modelDigest: string;
  readonly featureSet: number;
  readonly featureSetHash: string;
  readonly controlRevision: number;
  readonly route: string;
  readonly routeVersion: number;
  readonly arm: string;
  readonly fallback: string | null;
  readonly late: boolean;
  readonly stale: boolean;
  readonly decision: string;
}

export interface Answer {
  readonly eventId: string;
  readonly revision: number;
  readonly seq: number;
  readonly eventTime: number;
  readonly sequence: number;
  /** In the order of the pipeline's outputs and business figures. */
  readonly outputs: readonly number[];
  readonly kpis: readonly number[];
  /** 48 bits of the SHA-256 of the vector's float32 values. */
  readonly vector: number;
  /** On the features topic, in the same partition. */
  readonly vectorOffset: number;
  /** Of the prediction itself. */
  readonly offset: number;
  readonly origin: Origin;
}

const VECTOR_HEX_DIGITS = 12;

const originOf = (value: PredictionValue): Origin => {
  const { model, modelVersion, modelDigest, featureSet, featureSetHash, controlRevision } = value;
  const { route, routeVersion, arm, fallback, late, stale, decision } = value;
  return { model, modelVersion, modelDigest, featureSet, featureSetHash, controlRevision, route, routeVersion, arm, fallback, late, stale, decision };
}; // prettier-ignore

/** Makes answers of predictions, with one `Origin` for all that have the same. */
export const answerReader = (pipeline: Pipeline) => {
  const origins = new Map<string, Origin>();
  const valuesOf = scoredValues(pipeline);
  const kpis = numericKpis(pipeline);
  const shared = (value: PredictionValue): Origin => {
    const origin = originOf(value);
    const key = Object.values(origin).join('\0');
    const known = origins.get(key);
    if (known === undefined) origins.set(key, origin);
    return known ?? origin;
  };
  return (value: PredictionValue, offset: number): Answer => {
    const bytes = new Uint8Array(Float32Array.from(Object.values(valuesOf(value))).buffer);
    return {
      eventId: value.eventId,
      revision: value.revision,
      seq: value.seq,
      eventTime: value.eventTime,
      sequence: value.sequence,
      outputs: pipeline.model.outputs.map(name => value.outputs[name] ?? Number.NaN),
      kpis: kpis.map(name => Number(value.kpis[name] ?? Number.NaN)),
      vector: Number.parseInt(hash('sha256', bytes, 'hex').slice(0, VECTOR_HEX_DIGITS), 16),
      vectorOffset: value.vectorOffset,
      offset,
      origin: shared(value),
    };
  };
};
