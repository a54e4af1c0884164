import { everySet, featureNames, type Pipeline } from '@millrace/define';

/** What every pipeline's features record has, for code that serves all of them. Times are milliseconds since the epoch. */
export interface FeaturesValue {
  readonly eventId: string;
  readonly revision: number;
  readonly sequence: number;
  readonly entity: string;
  readonly eventTime: number;
  readonly appendTime: number;
  readonly featureSet: number;
  readonly featureSetHash: string;
  readonly late: boolean;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
  readonly inputHash: string;
  /** `live`, or the id of a run. */
  readonly runId: string;
  readonly traceparent: string | null;
  /** Fields of the event that decisions and business figures may use. */
  readonly event: Readonly<Record<string, unknown>>;
  /** In the model's order; missing is NaN. */
  readonly features: Readonly<Record<string, number>>;
  /** By view, seconds that its streams other than the scored one are behind the event; absent where no view keeps anything. */
  readonly viewAges?: Readonly<Record<string, number>>;
  /** By view, seconds since its entity was last heard of in it; -1: never before. */
  readonly entityAges?: Readonly<Record<string, number>>;
}

/** What every pipeline's prediction has, for code that serves all of them. Times are milliseconds since the epoch. */
export interface PredictionValue {
  readonly predictionId: string;
  readonly eventId: string;
  readonly revision: number;
  readonly sequence: number;
  readonly entity: string;
  readonly eventTime: number;
  readonly appendTime: number;
  readonly scoredAt: number;
  readonly outputs: Readonly<Record<string, number>>;
  readonly decision: string;
  readonly kpis: Readonly<Record<string, number>>;
  readonly model: string;
  readonly modelVersion: string;
  readonly modelDigest: string;
  readonly featureSet: number;
  readonly featureSetHash: string;
  readonly controlRevision: number;
  readonly route: string;
  readonly routeVersion: number;
  readonly arm: string;
  /** `answer`, or `shadow:<rollout>`. */
  readonly role: string;
  /** Why a fallback answered; null when the model did. */
  readonly fallback: string | null;
  readonly late: boolean;
  readonly stale: boolean;
  readonly sourceTopic: string;
  readonly sourcePartition: number;
  readonly sourceOffset: number;
  readonly vectorOffset: number;
  readonly inputHash: string;
  readonly batchId: string;
  readonly runId: string;
  readonly seq: number;
  readonly final: boolean;
  readonly supersedes: string | null;
  readonly traceparent: string | null;
  readonly features: Readonly<Record<string, number>>;
}

/**
 * The vector of a prediction as its own version of the feature set has it: the schema that predictions are read with has
 * the values of every version. Of a version that the definition does not have any more, everything is left.
 */
export const scoredValues = (pipeline: Pipeline): ((of: PredictionValue) => PredictionValue['features']) => {
  if (pipeline.beside.length === 0) return ({ features }) => features;
  const names = new Map(everySet(pipeline).map(({ features }) => [features.version, featureNames(features)]));
  return ({ featureSet, features }) => {
    const own = names.get(featureSet);
    return own === undefined ? features : Object.fromEntries(own.map(name => [name, features[name]!]));
  };
};
