import type { Duration } from './pipeline.ts';

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Milliseconds of a duration, or undefined where the text is none. Days are 86,400 seconds; there are no calendar units. */
export const parseDuration = (text: string): number | undefined => {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const ms = Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
  return Number.isSafeInteger(ms) ? ms : undefined;
};

/** Milliseconds of a duration. @throws RangeError where the text is none: a checked definition never does. */
export const durationMs = (duration: Duration): number => {
  const ms = parseDuration(duration);
  if (ms === undefined)
    throw new RangeError(
      `'${duration}' is no duration: write 500ms, 30s, 15m, 12h or 7d, whole milliseconds`,
    );
  return ms;
};
