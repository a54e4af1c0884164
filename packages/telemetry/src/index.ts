export { type Clock, systemClock } from './clock.ts';
export { type TurnedClock, turnedClock } from './turned.ts';
export { type Logger, noLogger } from './logger.ts';
export {
  type LabelsOf,
  METRICS,
  type MetricDefinition,
  type MetricName,
  type Metrics,
  noMetrics,
} from './metrics.ts';
