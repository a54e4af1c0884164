const WHOLE = /^[+-]?\d{1,16}$/;
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$/;
const DECIMAL_CHARS_MAX = 64;
const INT_MAX = 2 ** 31;
/** Largest distance from the epoch that a date can hold, milliseconds. */
const TIME_MAX = 8.64e15;
const ISO = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

/** A whole number, or a text of one, that is exact in 53 bits; undefined otherwise. */
export const wholeNumber = (json: unknown): number | undefined => {
  const found = typeof json === 'string' && WHOLE.test(json) ? Number(json) : json;
  // `+ 0`: minus zero is zero.
  return Number.isSafeInteger(found) ? (found as number) + 0 : undefined;
};

export const fitsInt = (whole: number): boolean => whole >= -INT_MAX && whole < INT_MAX;

/** A number, or a text of one in decimal or scientific notation, that is finite; undefined otherwise. */
export const decimalNumber = (json: unknown): number | undefined => {
  if (typeof json === 'number') return Number.isFinite(json) ? json : undefined;
  if (typeof json !== 'string' || json.length > DECIMAL_CHARS_MAX || !DECIMAL.test(json)) return undefined;
  const found = Number(json);
  return Number.isFinite(found) ? found : undefined;
};

/**
 * Milliseconds since the epoch: a whole number of them, or an ISO 8601 time with its zone (digits past milliseconds are
 * cut off). Undefined otherwise, also for days that no calendar has.
 */
export const timestampMs = (json: unknown): number | undefined => {
  if (typeof json === 'number')
    return Number.isSafeInteger(json) && Math.abs(json) <= TIME_MAX ? json + 0 : undefined;
  if (typeof json !== 'string') return undefined;
  const parts = ISO.exec(json);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second = '00', fraction = '', zone] = parts;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const utcMs = Date.parse(`${local}Z`);
  // Date.parse carries 30 February over into March: what is written back must be what came.
  if (Number.isNaN(utcMs) || !new Date(utcMs).toISOString().startsWith(local)) return undefined;
  const found = Date.parse(`${local}${fraction.slice(0, 4)}${zone!.toUpperCase()}`);
  return Number.isNaN(found) ? undefined : found;
};
