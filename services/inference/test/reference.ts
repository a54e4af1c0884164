import { type FeaturesValue, predictionId, type PredictionValue } from '@millrace/contracts';
import {
  compileCondition,
  compileNumber,
  type Engine,
  type Environment,
  type Pipeline,
} from '@millrace/define';
import type { Answerer } from '../src/answer.ts';
import type { InForce } from '../src/board.ts';
import type { Routed } from '../src/routing.ts';

/** One row with its answer, ready to become a prediction. */
export interface Answered {
  readonly vector: FeaturesValue;
  readonly vectorOffset: number;
  /** In the order of the pipeline's outputs. */
  readonly outputs: readonly number[];
  readonly by: Answerer;
  readonly engine: Engine | null;
  readonly inForce: InForce;
  readonly routed: Routed;
  readonly scoredAt: number;
  readonly batchId: string;
  readonly stale?: boolean;
}

const ROLE = 'answer';

const environmentOf = (pipeline: Pipeline): Environment<Answered> => ({
  timeZone: pipeline.timeZone,
  output: name => {
    const at = pipeline.model.outputs.indexOf(name);
    return at === -1 ? undefined : ({ outputs }) => outputs[at];
  },
  threshold: name =>
    Object.hasOwn(pipeline.thresholds, name) ? ({ inForce }) => inForce.thresholds[name] : undefined,
  feature:
    name =>
    ({ vector }) =>
      vector.features[name],
  field: name =>
    name === pipeline.events[pipeline.scores]!.time
      ? ({ vector }) => vector.eventTime
      : ({ vector }) => vector.event[name],
});

/** Predictions as values, in the plainest way: what the service writes must be their bytes. */
export const predictionsOf = (pipeline: Pipeline): ((answered: Answered) => PredictionValue) => {
  const env = environmentOf(pipeline);
  const decisions = pipeline.decisions.map(({ name, when }) => ({
    name,
    holds: when === undefined ? () => true : compileCondition(when, env),
  }));
  const kpis = Object.entries(pipeline.kpis).map(([name, of]) => [name, compileNumber(of, env)] as const);
  const outputNames = pipeline.model.outputs;

  return answered => {
    const { vector, by, inForce, outputs } = answered;
    return {
      predictionId: predictionId(pipeline.name, vector.eventId, vector.revision, vector.runId, ROLE, 0),
      eventId: vector.eventId,
      revision: vector.revision,
      sequence: vector.sequence,
      entity: vector.entity,
      eventTime: vector.eventTime,
      appendTime: vector.appendTime,
      scoredAt: answered.scoredAt,
      outputs: Object.fromEntries(outputNames.map((name, i) => [name, outputs[i]!])),
      decision: decisions.find(decision => decision.holds(answered))?.name ?? '',
      kpis: Object.fromEntries(kpis.map(([name, of]) => [name, of(answered)])),
      model: by.model,
      modelVersion: by.modelVersion,
      modelDigest: by.modelDigest,
      featureSet: vector.featureSet,
      featureSetHash: vector.featureSetHash,
      controlRevision: inForce.controlRevision,
      route: answered.routed.route,
      routeVersion: answered.routed.routeVersion,
      review: answered.routed.review,
      engine: answered.engine,
      arm: inForce.arm,
      role: ROLE,
      fallback: by.fallback,
      late: vector.late,
      stale: answered.stale ?? false,
      sourceTopic: vector.sourceTopic,
      sourcePartition: vector.sourcePartition,
      sourceOffset: vector.sourceOffset,
      vectorOffset: answered.vectorOffset,
      inputHash: vector.inputHash,
      batchId: answered.batchId,
      runId: vector.runId,
      seq: 0,
      final: true,
      supersedes: null,
      traceparent: vector.traceparent,
      features: vector.features,
    };
  };
};
