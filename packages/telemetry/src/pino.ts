import { isSpanContextValid, trace } from '@opentelemetry/api';
import { type Logger as Pino, pino, stdTimeFunctions } from 'pino';
import type { Logger } from './logger.ts';
import { redactFields, redactText } from './redact.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const traceFields = (): object => {
  const active = trace.getActiveSpan()?.spanContext();
  return active !== undefined && isSpanContextValid(active)
    ? { trace_id: active.traceId, span_id: active.spanId }
    : {};
};

const loggerOf = (to: Pino): Logger => ({
  debug: (fields, message) => to.debug(fields, redactText(message)),
  info: (fields, message) => to.info(fields, redactText(message)),
  warn: (fields, message) => to.warn(fields, redactText(message)),
  error: (fields, message) => to.error(fields, redactText(message)),
  child: fields => loggerOf(to.child(redactFields(fields))),
});

/** Of lines that could not be written yet; more are dropped. */
const UNWRITTEN_BYTES_MAX = 1024 * 1024;

const standardOutput = () => {
  // Written at once: the last words of a process that fails are the ones that matter.
  const destination = pino.destination({ fd: 1, sync: true, maxLength: UNWRITTEN_BYTES_MAX });
  // The disk behind it may be full. A line that cannot be told must not end what it tells of: it goes out with a later one.
  destination.on('error', () => undefined);
  return destination;
};

/** One JSON object per line: time (ISO 8601), level, msg, service, then the fields of the line. */
export const jsonLogger = (options: {
  readonly base: Readonly<Record<string, string>>;
  readonly level: LogLevel;
  /** Takes each line with its line end; standard output without it. */
  readonly write?: ((line: string) => void) | undefined;
}): Logger => {
  const { write } = options;
  const destination = write === undefined ? standardOutput() : { write };
  return loggerOf(
    pino(
      {
        level: options.level,
        base: options.base,
        timestamp: stdTimeFunctions.isoTime,
        mixin: traceFields,
        formatters: { level: label => ({ level: label }), log: redactFields },
        // Errors are already told as plain fields by then.
        serializers: { err: (value: unknown) => value },
      },
      destination,
    ),
  );
};
