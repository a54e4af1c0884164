export { type Clock, Elapsed, systemClock } from './clock.ts';
export { type TurnedClock, turnedClock } from './turned.ts';
export { type Random, randomHex, systemRandom } from './random.ts';
export { type Logger, noLogger } from './logger.ts';
export { LOG_LEVELS, type LogLevel } from './pino.ts';
export { looksSecret, REDACTED, redactText } from './redact.ts';
export {
  type LabelsOf,
  METRICS,
  type MetricDefinition,
  type MetricName,
  type Metrics,
  noMetrics,
} from './metrics.ts';
export { type PrometheusMetrics, type TextfileMetrics, textfileMetrics } from './prometheus.ts';
export { formatTraceparent, newTraceparent, parseTraceparent, type TraceContext } from './traceparent.ts';
export { type ProcessedBatch, processSpan } from './process.ts';
export { noTracing, type Span, type SpanOptions, type Tracing } from './tracing.ts';
export { otelFromEnv, type OtelOptions } from './otel.ts';
export { createTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts';
