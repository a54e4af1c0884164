/** Rules of time zones change on quarters of an hour at the finest. */
const QUARTER_MS = 900_000;
const QUARTERS_MAX = 4096;

const PARTS: Intl.DateTimeFormatOptions = {
  calendar: 'iso8601',
  numberingSystem: 'latn',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
};

export const isTimeZone = (timeZone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en', { timeZone }).resolvedOptions().timeZone !== '';
  } catch {
    return false; // the only way in which the platform says that it does not know a zone
  }
};

/** What to add to a time (milliseconds since the epoch) to read the zone's wall clock from it as if it were UTC. */
export const timeZoneOffset = (timeZone: string): ((ms: number) => number) => {
  if (timeZone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en', { ...PARTS, timeZone });
  const known = new Map<number, number>();
  return ms => {
    const quarter = Math.floor(ms / QUARTER_MS);
    const cached = known.get(quarter);
    if (cached !== undefined) return cached;
    if (!Number.isFinite(ms)) return Number.NaN;
    const at = quarter * QUARTER_MS;
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
    const { year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    const offset = Date.UTC(year, month - 1, day, hour, minute, second) - at;
    if (known.size >= QUARTERS_MAX) known.clear();
    known.set(quarter, offset);
    return offset;
  };
};
