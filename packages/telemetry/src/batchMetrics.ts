/** Metrics of what runs beside the stream: nights, and comparisons of what was answered or served. */
import type { MetricDefinition } from './metrics.ts';

export const BATCH_METRICS = {
  millrace_night_yielding: {
    kind: 'gauge',
    help: '1 while a night stands still because the stream is behind.',
    labels: ['pipeline'],
  },
  millrace_night_yields_total: {
    kind: 'counter',
    help: 'Times that a night has stood still because the stream was behind.',
    labels: ['pipeline'],
  },
  millrace_night_yielded_seconds_total: {
    kind: 'counter',
    help: 'Time for which nights have stood still because the stream was behind.',
    labels: ['pipeline'],
  },
  millrace_reconcile_units: {
    kind: 'gauge',
    help: 'Entities or events of the last reconciliation, by outcome: matched, differing, missing, extra, unanswered.',
    labels: ['pipeline', 'outcome'],
  },
  millrace_reconcile_agrees: {
    kind: 'gauge',
    help: '1 where the last reconciliation found no difference.',
    labels: ['pipeline'],
  },
  millrace_reconcile_largest_difference: {
    kind: 'gauge',
    help: 'Largest difference of a score in the last reconciliation.',
    labels: ['pipeline'],
  },
  millrace_reconcile_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last reconciliation ended, seconds since the epoch.',
    labels: ['pipeline'],
  },
  millrace_night_next_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the next scheduled night is due, seconds since the epoch; passed already where it waits.',
    labels: ['pipeline'],
  },
  millrace_night_running: {
    kind: 'gauge',
    help: '1 while a scheduled night is begun and has not ended, between its attempts too.',
    labels: ['pipeline'],
  },
  millrace_night_last_start_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last scheduled night was first begun; 0 where there was none.',
    labels: ['pipeline'],
  },
  millrace_night_last_end_timestamp_seconds: {
    kind: 'gauge',
    help: 'When a scheduled night last ended, done or given up; 0 where none has.',
    labels: ['pipeline'],
  },
  millrace_night_last_success_timestamp_seconds: {
    kind: 'gauge',
    help: 'When a scheduled night was last done; 0 where none was.',
    labels: ['pipeline'],
  },
  millrace_night_start_delay_seconds: {
    kind: 'gauge',
    help: 'How long after its time the last scheduled night was begun.',
    labels: ['pipeline'],
  },
  millrace_night_duration_seconds: {
    kind: 'gauge',
    help: 'How long the last scheduled night took, or has been at work, from its first attempt.',
    labels: ['pipeline'],
  },
  millrace_night_duration_limit_seconds: {
    kind: 'gauge',
    help: 'How long a scheduled night may take (takesAtMost).',
    labels: ['pipeline'],
  },
  millrace_night_slots: {
    kind: 'gauge',
    help: 'Scheduled nights on the runs topic, the newest 1,000, by outcome: done, missed, failed; late and overlong count beside these.',
    labels: ['pipeline', 'outcome'],
  },
  millrace_night_slot_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the newest scheduled night of an outcome was due; 0 where there is none.',
    labels: ['pipeline', 'outcome'],
  },
  millrace_skew_vectors: {
    kind: 'gauge',
    help: 'Vectors of the last comparison of served features with recomputed ones: matched, differing, missing, extra.',
    labels: ['pipeline', 'set', 'outcome'],
  },
  millrace_skew_values: {
    kind: 'gauge',
    help: 'Values of a feature in it that are not the same: mismatch, missing, extra.',
    labels: ['pipeline', 'set', 'feature', 'kind'],
  },
  millrace_skew_largest_difference: {
    kind: 'gauge',
    help: 'Largest difference of a feature in it, as a part of max(1, |recomputed|).',
    labels: ['pipeline', 'set', 'feature'],
  },
  millrace_skew_agrees: {
    kind: 'gauge',
    help: '1 where it found no difference above the tolerance.',
    labels: ['pipeline', 'set'],
  },
  millrace_skew_timestamp_seconds: {
    kind: 'gauge',
    help: 'When it ended, seconds since the epoch.',
    labels: ['pipeline', 'set'],
  },
} as const satisfies Record<string, MetricDefinition>;
