import {
  context,
  type Link,
  type Span as OtelSpan,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanOptions {
  readonly kind?: 'internal' | 'server' | 'client' | 'producer' | 'consumer';
  /** The traceparent this span continues; without one it is a child of the span that is active. */
  readonly parent?: string | undefined;
  /** Traceparents of what is worked on together; the first `LINKS_MAX` valid and sampled ones are kept. */
  readonly links?: readonly string[];
  readonly attributes?: Attributes;
}

export interface Span {
  /** To be sent along with what this span produces; undefined when it is not recorded. */
  readonly traceparent: string | undefined;
  set(attributes: Attributes): void;
}

export interface Tracing {
  /** Runs `work` in a span that ends with it; what it throws marks the span as failed and goes on to the caller. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T> | T): Promise<T>;
}

/** Links of one span: enough to find the traces of a batch, bounded for a batch of thousands. */
export const LINKS_MAX = 32;

const NO_SPAN: Span = { traceparent: undefined, set: () => undefined };

export const noTracing: Tracing = { span: async (_name, _options, work) => work(NO_SPAN) };

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

const remote = (traceparent: string): Link['context'] | undefined => {
  const found = parseTraceparent(traceparent);
  if (found === undefined) return undefined;
  const { traceId, spanId, sampled } = found;
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true };
};

const linksOf = (traceparents: readonly string[]): Link[] => {
  const links: Link[] = [];
  for (const one of new Set(traceparents)) {
    const to = remote(one);
    // What is not sampled is recorded nowhere: a link to it would lead to nothing.
    if (to?.traceFlags === TraceFlags.SAMPLED) links.push({ context: to });
    if (links.length === LINKS_MAX) break;
  }
  return links;
};

const spanOf = (otel: OtelSpan): Span => {
  const { traceId, spanId } = otel.spanContext();
  return {
    traceparent: otel.isRecording() ? formatTraceparent({ traceId, spanId, sampled: true }) : undefined,
    set: attributes => void otel.setAttributes(attributes),
  };
};

/** Tracing through an OpenTelemetry tracer; one that records nothing costs next to nothing. */
export const tracingOf = (tracer: Tracer): Tracing => ({
  span: (name, { kind = 'internal', parent, links = [], attributes = {} }, work) => {
    const from = parent === undefined ? undefined : remote(parent);
    const around = from === undefined ? context.active() : trace.setSpanContext(context.active(), from);
    const options = { kind: KINDS[kind], attributes, links: linksOf(links) };
    return tracer.startActiveSpan(name, options, around, async otel => {
      try {
        return await work(spanOf(otel));
      } catch (error) {
        // Only the kind of error: its message may hold what must not be told.
        otel.setAttribute('error.type', error instanceof Error ? error.name : typeof error);
        otel.setStatus({ code: SpanStatusCode.ERROR });
        throw error;
      } finally {
        otel.end();
      }
    });
  },
});
