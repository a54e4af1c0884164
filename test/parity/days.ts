import { basename, join } from 'node:path';
import { existsSync } from 'node:fs';
import { dailyFiles } from './read.ts';

/** What is published, and which part of it is compared. All paths are in order of their days. */
export interface Days {
  readonly from: string; // YYYY-MM-DD
  readonly to: string; // inclusive
  readonly raw: readonly string[];
  readonly features: readonly string[];
  /** Rows with two right answers; undefined where none are listed beside the features. */
  readonly ties: string | undefined;
}

const DAY_MS = 86_400_000;
const dayOf = (path: string): string => basename(path).slice(0, 10);
const dayAfter = (day: string): string => new Date(Date.parse(day) + DAY_MS).toISOString().slice(0, 10);

/**
 * Days from the first raw one, which are history before `from`. Without `to`, up to the last day before a gap in the raw
 * or the published files. @throws RangeError where a day is missing
 */
export const daysOf = (rawFolder: string, featuresFolder: string, from?: string, to?: string): Days => {
  const raw = dailyFiles(rawFolder);
  const published = new Set(dailyFiles(featuresFolder).map(dayOf));
  const rawDays = new Set(raw.map(dayOf));
  if (raw.length === 0) throw new RangeError(`${rawFolder} holds no files YYYY-MM-DD.csv or .csv.gz`);
  const first = dayOf(raw[0]!);
  const start = from ?? first;
  let end = to ?? start;
  if (to === undefined)
    while (rawDays.has(dayAfter(end)) && published.has(dayAfter(end))) end = dayAfter(end);
  if (start > end) throw new RangeError(`--from ${start} is after --to ${end}`);
  for (let day = first; day <= end; day = dayAfter(day)) {
    if (!rawDays.has(day)) throw new RangeError(`${rawFolder} lacks ${day}`);
    if (day >= start && !published.has(day)) throw new RangeError(`${featuresFolder} lacks ${day}`);
  }
  const ties = join(featuresFolder, '..', 'reference', 'same_second_ties.csv');
  return {
    from: start,
    to: end,
    raw: dailyFiles(rawFolder, first, end),
    features: dailyFiles(featuresFolder, start, end),
    ties: existsSync(ties) ? ties : undefined,
  };
};
