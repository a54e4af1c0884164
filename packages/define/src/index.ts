export {
  abs, add, and, type Binary, constant, dayOfWeek, divide, eq, type Expression, feature, field, ge, gt, hour, isMissing,
  le, log1p, lt, max, min, multiply, ne, negate, not, type Operand, or, output, sqrt, subtract, threshold, type Unary, when,
} from './expression.ts'; // prettier-ignore
export type {
  Aggregate,
  AggregateKind,
  Decision,
  Duration,
  EventStream,
  FeatureDefinition,
  FeatureSet,
  FeatureView,
  Pipeline,
} from './pipeline.ts';
