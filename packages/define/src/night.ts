/**
 * Times of nights. A time that is named outright (no `*` and no step in minute and hour) is had once a day also where
 * clocks change: one that a day lacks comes at the first minute after the gap, one that it has twice comes the first time.
 * What recurs (`0 * * * *`) goes by real time: a gap has none of it, a doubled hour has it twice. So does cron(8).
 */
import { Cron } from 'croner';
import { parseDuration } from './duration.ts';
import type { Report } from './names.ts';
import type { NightSchedule, Pipeline } from './pipeline.ts';
import { isTimeZone } from './zone.ts';

const NIGHT_ATTEMPTS_MAX = 10;
const SECOND_MS = 1_000;
const FIELDS = 5;

type Times = Pick<NightSchedule, 'cron' | 'timeZone'>;

/** @throws Error where it is no cron expression, or of no zone that is known */
const timesOf = ({ cron, timeZone }: Times): Cron =>
  new Cron(cron, { timezone: timeZone, mode: '5-part', fixedTimeRule: 'no-wildcard', paused: true });

/** The first time after one, milliseconds since the epoch; undefined where there is none any more. */
export const slotAfter = (schedule: Times, afterMs: number): number | undefined =>
  timesOf(schedule).nextRun(new Date(afterMs))?.getTime();

/** Times after the one and up to the other, in order; of more than `countMax` the newest. */
export const slotsWithin = (
  schedule: Times,
  afterMs: number,
  untilMs: number,
  countMax: number,
): readonly number[] =>
  timesOf(schedule)
    // It looks before a time, in whole seconds.
    .previousRuns(countMax + 1, new Date(untilMs + SECOND_MS))
    .map(at => at.getTime())
    .filter(at => at > afterMs && at <= untilMs)
    .slice(0, countMax)
    .toReversed();

const checkCron = ({ cron, timeZone }: NightSchedule, report: Report): void => {
  const place = 'night.cron';
  const wanted = `'${cron}' is no cron expression of minute, hour, day of month, month, day of week`;
  if (cron.trim().split(/\s+/).length !== FIELDS) return report(place, wanted);
  try {
    if (slotAfter({ cron, timeZone: isTimeZone(timeZone) ? timeZone : 'UTC' }, 0) === undefined)
      report(place, `'${cron}' is never: no month has that day`);
  } catch (error) {
    report(place, `${wanted}: ${(error as Error).message.replace(/^CronPattern: /, '')}`);
  }
};

export const checkNight = ({ night }: Pipeline, report: Report): void => {
  if (night === undefined) return;
  if (!isTimeZone(night.timeZone)) report('night.timeZone', `'${night.timeZone}' is unknown`);
  checkCron(night, report);
  for (const name of ['startWithin', 'takesAtMost'] as const)
    if (!((parseDuration(night[name]) ?? 0) > 0))
      report(`night.${name}`, `'${night[name]}' is no duration above zero; write 30m or 2h`);
  const { attemptsMax } = night;
  if (!Number.isInteger(attemptsMax) || attemptsMax < 1 || attemptsMax > NIGHT_ATTEMPTS_MAX)
    report('night.attemptsMax', `${attemptsMax} is not a whole number from 1 to ${NIGHT_ATTEMPTS_MAX}`);
};
