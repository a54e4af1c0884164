export {
  type AggregateOptions, count, derived, distinct, inForce, last, maxOf, mean, minOf, share, stddev, sum, timeSinceLast, type ValueOptions,
} from './aggregate.ts'; // prettier-ignore
export { checkPipeline, type FieldsOf } from './check.ts';
export { namesIn } from './names.ts';
export {
  definePipeline,
  DefinitionError,
  featureNames,
  featureSet,
  featureView,
  type PipelineInput,
} from './define.ts';
export { durationMs, parseDuration } from './duration.ts';
export { agedViews, ageField, streamsOfView } from './freshness.ts';
export {
  compileCondition,
  compileExpression,
  compileNumber,
  type Environment,
  type Evaluate,
  holds,
  type Value,
} from './evaluate.ts';
export {
  abs, add, and, type Binary, constant, dayOfWeek, divide, eq, type Expression, feature, field, ge, gt, hour, isMissing,
  le, log1p, lt, max, min, multiply, ne, negate, not, type Operand, or, output, sqrt, subtract, threshold, type Unary, when,
} from './expression.ts'; // prettier-ignore
export { canonicalJson, ENGINE_VERSIONS, hashFeatureSet, hashPipeline, hashView } from './hash.ts';
export { isRoutes, routeMistakes, ROUTE_NAME_CHARACTERS_MAX } from './routes.ts';
export type { RejectPolicy, RejectReason, Rejects } from './rejects.ts';
export { sourceFields } from './lineage.ts';
export type {
  Aggregate,
  AggregateKind,
  Decision,
  Duration,
  Evaluation,
  EventStream,
  Fairness,
  FeatureDefinition,
  FeatureSet,
  FeatureView,
  Freshness,
  Pipeline,
  Route,
  StalePolicy,
} from './pipeline.ts';
export { contentDifferences, type Difference, type Publication, publicationsOf } from './published.ts';
export { everySet, ofSet } from './sets.ts';
export { expressionInWords, featureInWords } from './words.ts';
