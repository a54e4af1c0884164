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
  /** Numbers, missing is NaN; or text, missing is null. */
  readonly kpis: Readonly<Record<string, number | string | null>>;
  readonly model: string;
  readonly modelVersion: string;
  readonly modelDigest: string;
  readonly featureSet: number;
  readonly featureSetHash: string;
  readonly controlRevision: number;
  readonly route: string;
  readonly routeVersion: number;
  /** The rule says that somebody is to look at the answer. */
  readonly review: boolean;
  /** What the model ran on, `cpu` or `gpu`; null where a constant answered, and before this was told. */
  readonly engine: string | null;
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

/** Fields of a prediction that stand in what is pushed beside it, so that it can be traced. */
export const PUSH_ENVELOPE = [
  'predictionId', 'eventId', 'revision', 'sequence', 'entity', 'eventTime', 'scoredAt', 'decision', 'model', 'modelVersion', 'modelDigest',
  'controlRevision', 'route', 'routeVersion', 'review', 'fallback', 'late', 'sourceTopic', 'sourcePartition', 'sourceOffset', 'runId',
  'traceparent',
] as const satisfies readonly (keyof PredictionValue)[]; // prettier-ignore

/** What is pushed to a further topic, for code that serves all of them. */
export type PushValue = Pick<PredictionValue, (typeof PUSH_ENVELOPE)[number]> & {
  /** Null is missing; `unknown` says why. */
  readonly values: Readonly<Record<string, number | string | boolean | null>>;
  /** `name: reason` of each value that is missing. */
  readonly unknown: readonly string[];
};

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
