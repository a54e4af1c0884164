import { type Random, randomHex } from './random.ts';

/** W3C Trace Context, version 00: where a trace came from, and whether it is recorded. */
export interface TraceContext {
  readonly traceId: string; // 32 hex digits, not all 0
  readonly spanId: string; // 16 hex digits, not all 0
  readonly sampled: boolean;
}

// Later versions may append fields; version ff is forbidden, and version 00 has exactly these four.
const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);

/** Undefined for anything that is not a valid `traceparent`: it is then as if none had come. */
export const parseTraceparent = (text: string): TraceContext | undefined => {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, version, traceId, spanId, flags, more] = found;
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined;
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined;
  return { traceId: traceId!, spanId: spanId!, sampled: (Number.parseInt(flags!, 16) & 1) === 1 };
};

export const formatTraceparent = (context: TraceContext): string =>
  `00-${context.traceId}-${context.spanId}-${context.sampled ? '01' : '00'}`;

/** A new, sampled trace context. */
export const newTraceparent = (random: Random): string => {
  // An all-zero id is invalid; a random source that gives only zeros still yields a valid one.
  const id = (bytes: number): string =>
    randomHex(random, bytes).replace(/^0+$/, zeros => `${zeros.slice(1)}1`);
  return formatTraceparent({ traceId: id(16), spanId: id(8), sampled: true });
};
