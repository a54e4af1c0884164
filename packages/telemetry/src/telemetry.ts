import type { Logger } from './logger.ts';
import { type OtelOptions, startTracing } from './otel.ts';
import { jsonLogger, type LogLevel } from './pino.ts';
import { prometheusMetrics, type PrometheusMetrics } from './prometheus.ts';
import type { Tracing } from './tracing.ts';

export interface TelemetryOptions {
  readonly service: string;
  readonly version: string;
  /** Tells instances of one service apart. */
  readonly instance: string;
  readonly logLevel: LogLevel;
  /** Traces are sent where an endpoint is configured: `otelFromEnv`. */
  readonly otel?: OtelOptions | undefined;
  /** Takes each log line with its line end; standard output without it. */
  readonly writeLog?: (line: string) => void;
}

export interface Telemetry {
  readonly metrics: PrometheusMetrics;
  readonly logger: Logger;
  readonly tracing: Tracing;
  /** Sends the traces that are waiting and stops measuring. Safe twice. */
  stop(): Promise<void>;
}

/** What one process measures and says. */
export const createTelemetry = (options: TelemetryOptions): Telemetry => {
  const { service, version, instance, logLevel, otel, writeLog } = options;
  const logger = jsonLogger({ base: { service, version, instance }, level: logLevel, write: writeLog });
  const metrics = prometheusMetrics(service, version);
  const traces = startTracing({ service, version, instance, otel, logger });
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    metrics.stop();
    await traces.stop();
  };
  return { metrics, logger, tracing: traces.tracing, stop: () => (stopped ??= stop()) };
};
