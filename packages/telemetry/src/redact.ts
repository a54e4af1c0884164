/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

const SECRET_NAME =
  /pass(word|phrase|wd)?$|secret|token$|api[-_]?keys?$|authorization|cookie|credential|private[-_]?key|sasl/i;
const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const DEPTH_MAX = 6;

/** True for the name of a field whose value is never shown. */
export const looksSecret = (name: string): boolean => SECRET_NAME.test(name);

/** Hides the user and password of addresses within a text. */
export const redactText = (text: string): string => text.replace(USER_INFO, `$1${REDACTED}@`);

const redactError = (error: Error, depth: number): object => ({
  type: error.name,
  message: redactText(error.message),
  ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
  ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
});

const redactValue = (value: unknown, depth: number): unknown => {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return '[deep]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return value;
  // Bytes are keys or payloads, which no log shows.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (Array.isArray(value)) return value.map(one => redactValue(one, depth + 1));
  return redactFields(value, depth + 1);
};

/** A copy of the fields in which everything that looks like a secret is hidden, at any depth. */
export const redactFields = (fields: object, depth = 0): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      looksSecret(name) ? REDACTED : redactValue(value, depth),
    ]),
  );
