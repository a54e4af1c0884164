import { trace } from '@opentelemetry/api';
import type { Logger } from './logger.ts';
import { noTracing, type Tracing, tracingOf } from './tracing.ts';

/**
 * Where spans go, by OTLP over HTTP with JSON. The other `OTEL_*` variables (sampler, headers, limits) are read by
 * OpenTelemetry itself.
 */
export interface OtelOptions {
  /** Address to which traces are posted, `http://host:4318/v1/traces`. */
  readonly tracesUrl: string;
  /** Added to, and winning over, what we say of ourselves. */
  readonly resource: Readonly<Record<string, string>>;
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    if (error instanceof URIError) return text;
    throw error;
  }
};

/** `OTEL_RESOURCE_ATTRIBUTES`: `key=value,key=value`, values percent-encoded. */
const resourceOf = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .map(pair => [
        pair.slice(0, pair.indexOf('=')).trim(),
        decoded(pair.slice(pair.indexOf('=') + 1).trim()),
      ])
      .filter(([key]) => key !== ''),
  );

/** OpenTelemetry's own names and meanings; undefined when no endpoint is named, or tracing is switched off. */
export const otelFromEnv = (env: Readonly<Record<string, string | undefined>>): OtelOptions | undefined => {
  if (env['OTEL_SDK_DISABLED']?.toLowerCase() === 'true' || env['OTEL_TRACES_EXPORTER'] === 'none')
    return undefined;
  const base = env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  const tracesUrl =
    env['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || (base ? `${base.replace(/\/+$/, '')}/v1/traces` : undefined);
  if (tracesUrl === undefined) return undefined;
  const resource = resourceOf(env['OTEL_RESOURCE_ATTRIBUTES'] ?? '');
  const name = env['OTEL_SERVICE_NAME'];
  return { tracesUrl, resource: name ? { ...resource, 'service.name': name } : resource };
};

/** The SDK is large, so it is loaded only where an endpoint is configured; spans begun before it is up go unrecorded. */
const startSdk = async (service: string, version: string, instance: string, otel: OtelOptions) => {
  const [{ NodeSDK }, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const attributes = {
    'service.name': `millrace-${service}`,
    'service.version': version,
    'service.instance.id': instance,
    ...otel.resource,
  };
  const sdk = new NodeSDK({
    // Only our own words: the SDK's process detector would tell the command line, where a secret may stand.
    resourceDetectors: [{ detect: () => ({ attributes }) }],
    traceExporter: new OTLPTraceExporter({ url: otel.tracesUrl }),
    metricReaders: [],
    logRecordProcessors: [],
  });
  sdk.start();
  return sdk;
};

export interface StartedTracing {
  readonly tracing: Tracing;
  /** Sends what is waiting. */
  stop(): Promise<void>;
}

export const startTracing = (options: {
  readonly service: string;
  readonly version: string;
  readonly instance: string;
  readonly otel: OtelOptions | undefined;
  readonly logger: Logger;
}): StartedTracing => {
  const { service, version, instance, otel, logger } = options;
  if (otel === undefined) return { tracing: noTracing, stop: async () => undefined };
  const failed = (error: unknown): undefined => {
    logger.warn({ err: error }, 'traces are not sent');
  };
  const sdk = startSdk(service, version, instance, otel).catch(failed);
  return {
    tracing: tracingOf(trace.getTracer('millrace', version)),
    stop: async () => {
      await (await sdk)?.shutdown().catch(failed);
      trace.disable();
    },
  };
};
