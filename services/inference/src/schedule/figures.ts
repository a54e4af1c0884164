/** What is measured of a schedule: told from the topic, so every scheduler says the same, and so it does after a restart. */
import { durationMs } from '@millrace/define';
import type { Metrics } from '@millrace/telemetry';
import { nextDue, type Standing } from './policy.ts';
import type { Slot } from './slots.ts';

/** A night that begins so long after its time is late. */
export const LATE_MS = 60_000;

export const isLate = ({ dueMs, startedMs }: Slot): boolean =>
  startedMs !== undefined && startedMs - dueMs > LATE_MS;

const lastedMs = ({ startedMs, endedMs }: Slot, nowMs: number): number =>
  startedMs === undefined ? 0 : (endedMs ?? nowMs) - startedMs;

const OUTCOMES = ['done', 'late', 'overlong', 'missed', 'failed'] as const;

const outcomesOf = (slot: Slot, { schedule, nowMs }: Standing): readonly (typeof OUTCOMES)[number][] => [
  ...(slot.outcome === 'open' ? [] : [slot.outcome]),
  ...(isLate(slot) ? (['late'] as const) : []),
  ...(lastedMs(slot, nowMs) > durationMs(schedule.takesAtMost) ? (['overlong'] as const) : []),
];

const seconds = (ms: number): number => ms / 1_000;

export const show = (metrics: Metrics, pipeline: string, standing: Standing): void => {
  const { schedule, slots, nowMs } = standing;
  const begun = slots.filter(({ startedMs }) => startedMs !== undefined);
  const last = begun.at(-1);
  const done = begun.findLast(({ outcome }) => outcome === 'done');
  const ended = begun.findLast(({ endedMs }) => endedMs !== undefined);
  const of = { pipeline };
  const next = nextDue(standing);
  if (next !== undefined) metrics.set('millrace_night_next_timestamp_seconds', of, seconds(next));
  metrics.set('millrace_night_running', of, begun.some(({ outcome }) => outcome === 'open') ? 1 : 0);
  metrics.set('millrace_night_last_start_timestamp_seconds', of, seconds(last?.startedMs ?? 0));
  metrics.set('millrace_night_last_end_timestamp_seconds', of, seconds(ended?.endedMs ?? 0));
  metrics.set('millrace_night_last_success_timestamp_seconds', of, seconds(done?.endedMs ?? 0));
  metrics.set('millrace_night_start_delay_seconds', of, seconds(last === undefined ? 0 : last.startedMs! - last.dueMs));
  metrics.set('millrace_night_duration_seconds', of, seconds(last === undefined ? 0 : lastedMs(last, nowMs)));
  metrics.set('millrace_night_duration_limit_seconds', of, seconds(durationMs(schedule.takesAtMost)));
  for (const outcome of OUTCOMES) {
    const found = slots.filter(slot => outcomesOf(slot, standing).includes(outcome));
    metrics.set('millrace_night_slots', { pipeline, outcome }, found.length);
    metrics.set('millrace_night_slot_timestamp_seconds', { pipeline, outcome }, seconds(found.at(-1)?.dueMs ?? 0));
  }
}; // prettier-ignore
