export {
  type AggregateOptions, count, derived, distinct, inForce, last, maxOf, mean, minOf, share, stddev, sum, timeSinceLast, type ValueOptions,
} from './aggregate.ts'; // prettier-ignore
export { checkPipeline, type FieldsOf } from './check.ts';
export { namesIn } from './names.ts';
export { slotAfter, slotsWithin } from './night.ts';
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
  compileText,
  type Environment,
  type Evaluate,
  holds,
  type Value,
} from './evaluate.ts';
export {
  abs, add, and, answer, ANSWER_NAMES, type AnswerName, type Binary, constant, dayOfWeek, divide, eq, type Expression, feature, field, ge, gt,
  hour, isMissing, kpi, le, log1p, lt, max, min, multiply, ne, negate, not, type Operand, or, output, sqrt, subtract, threshold, type Unary, when,
} from './expression.ts'; // prettier-ignore
export { canonicalJson, ENGINE_VERSIONS, hashFeatureSet, hashPipeline, hashView } from './hash.ts';
export { type Engine, ENGINES } from './pipeline.ts';
export { isRoutes, routeMistakes, ROUTE_NAME_CHARACTERS_MAX } from './routes.ts';
export { type Kind, type KindFound, kindOf, MIXED } from './kinds.ts';
export { PUSH_TEXT_CHARACTERS_MAX } from './pushes.ts';
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
  NightSchedule,
  Pipeline,
  Push,
  Route,
  StalePolicy,
} from './pipeline.ts';
export { contentDifferences, type Difference, type Publication, publicationsOf } from './published.ts';
export { everySet, ofSet } from './sets.ts';
export { expressionInWords, featureInWords } from './words.ts';
