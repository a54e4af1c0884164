/**
 * What a schedule asks for next. What was begun is gone on with first. Of several times that have come, the newest is
 * begun, and the others are missed: a night is over what is there when it begins, so two in a row would answer the same.
 */
import { durationMs, type NightSchedule, slotAfter, slotsWithin } from '@millrace/define';
import type { Slot } from './slots.ts';

export type Step =
  | { readonly act: 'run' | 'miss' | 'give-up'; readonly dueMs: number; readonly why: string }
  | { readonly act: 'wait'; readonly untilMs: number };

export interface Standing {
  readonly schedule: NightSchedule;
  /** In order of their times. */
  readonly slots: readonly Slot[];
  /** Since when the schedule is kept: earlier times are not its own. */
  readonly sinceMs: number;
  readonly nowMs: number;
}

/** Times that a scheduler which was away records as missed; still older ones it passes over. */
export const MISSED_AT_ONCE_MAX = 100;
/** A night that was begun so often, and never ended, is given up: it takes its process with it. */
export const STARTS_MAX = 20;
const RETRY_MS_FIRST = 60_000;
const RETRY_MS_MAX = 900_000;
const RETRY_GROWTH = 4;

export const retryMs = (breaks: number): number =>
  Math.min(RETRY_MS_FIRST * RETRY_GROWTH ** (breaks - 1), RETRY_MS_MAX);

/** The newest time that is dealt with, or under way. */
const floorOf = ({ slots, sinceMs, nowMs }: Standing): number =>
  Math.max(sinceMs, ...slots.map(({ dueMs }) => dueMs).filter(dueMs => dueMs <= nowMs));

/** The next time that nothing was done about: passed already where a night waits. Undefined where there is none any more. */
export const nextDue = (standing: Standing): number | undefined =>
  slotAfter(standing.schedule, floorOf(standing));

const stepOfOpen = (standing: Standing, open: Slot, next: number | undefined): Step => {
  const { schedule, nowMs } = standing;
  const { dueMs, breaks, starts, brokeOffMs } = open;
  if (breaks >= schedule.attemptsMax) return { act: 'give-up', dueMs, why: `${breaks} attempts have failed` };
  if (starts >= STARTS_MAX) return { act: 'give-up', dueMs, why: `it was begun ${starts} times and never ended` };
  if (brokeOffMs === undefined) return { act: 'run', dueMs, why: starts === 0 ? 'somebody has begun it' : 'it was begun and has not ended' };
  if (next !== undefined && next <= nowMs) return { act: 'give-up', dueMs, why: 'it failed, and the next one is due' };
  const againMs = brokeOffMs + retryMs(breaks);
  if (nowMs >= againMs) return { act: 'run', dueMs, why: `attempt ${breaks} failed` };
  return { act: 'wait', untilMs: Math.min(againMs, next ?? againMs) };
}; // prettier-ignore

export const nextStep = (standing: Standing): Step => {
  const { schedule, slots, nowMs } = standing;
  const next = nextDue(standing);
  const open = slots.find(({ outcome, dueMs }) => outcome === 'open' && dueMs <= nowMs);
  if (open !== undefined) return stepOfOpen(standing, open, next);
  if (next === undefined || next > nowMs) return { act: 'wait', untilMs: next ?? Number.POSITIVE_INFINITY };
  const due = slotsWithin(schedule, floorOf(standing), nowMs, MISSED_AT_ONCE_MAX);
  const [first, newest] = [due[0]!, due.at(-1)!];
  if (first !== newest) return { act: 'miss', dueMs: first, why: 'a newer one is due' };
  if (nowMs - newest > durationMs(schedule.startWithin))
    return { act: 'miss', dueMs: newest, why: `it could not begin within ${schedule.startWithin}` };
  return { act: 'run', dueMs: newest, why: 'it is due' };
};
