import { BATCH_METRICS } from './batchMetrics.ts';

/**
 * What we measure: this table is the document. Names are Prometheus names, base units, counters end in `_total`.
 * Labels come from fixed sets (pipeline, topic, partition, reason, ...); never keys, offsets or ids.
 */
export interface MetricDefinition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
  readonly buckets?: readonly number[];
}

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
/** From a second to a year: how old what a view knows may be. */
const AGES = [1, 60, 600, 3_600, 21_600, 86_400, 172_800, 604_800, 2_592_000, 31_536_000] as const;
const ROWS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048] as const;

export const METRICS = {
  millrace_records_in_total: { kind: 'counter', help: 'Records read, by input topic.', labels: ['topic'] },
  millrace_records_out_total: {
    kind: 'counter',
    help: 'Records written and acknowledged, by output topic.',
    labels: ['topic'],
  },
  millrace_records_done_total: { kind: 'counter', help: 'Records closed as done.', labels: ['topic'] },
  millrace_records_skipped_total: {
    kind: 'counter',
    help: 'Records closed as skipped.',
    labels: ['topic', 'reason'],
  },
  millrace_records_rejected_total: {
    kind: 'counter',
    help: 'Records sent to the dead letter topic.',
    labels: ['topic', 'reason'],
  },
  millrace_records_fallback_total: {
    kind: 'counter',
    help: 'Predictions answered by a fallback.',
    labels: ['pipeline', 'reason'],
  },
  millrace_records_deferred_total: {
    kind: 'counter',
    help: 'Vectors put off until the night by a rule.',
    labels: ['pipeline', 'route'],
  },
  millrace_engine_unavailable_total: {
    kind: 'counter',
    help: "Rows asked of the model's own engine, because the one that their rule names is not there or did not answer.",
    labels: ['pipeline', 'engine'],
  },
  millrace_push_values_unknown_total: {
    kind: 'counter',
    help: 'Values of pushed records that could not be worked out; the records say why.',
    labels: ['pipeline', 'push'],
  },
  millrace_records_late_total: {
    kind: 'counter',
    help: 'Events older than what one of their keys had seen.',
    labels: ['pipeline'],
  },
  millrace_records_bumped_total: {
    kind: 'counter',
    help: 'Events that came too late for the epoch of their append time and went into the next open one.',
    labels: ['pipeline'],
  },
  millrace_retries_total: {
    kind: 'counter',
    help: 'Attempts repeated after a bad world answered.',
    labels: ['what'],
  },
  millrace_dependency_away: {
    kind: 'gauge',
    help: '1 while a dependency (kafka, registry, database) does not answer this process and its work waits.',
    labels: ['dependency'],
  },
  millrace_commits_total: {
    kind: 'counter',
    help: 'Commits of offsets with their outputs.',
    labels: ['group', 'outcome'],
  },
  millrace_commit_seconds: {
    kind: 'histogram',
    help: 'Time of one commit, from first send to acknowledgement.',
    labels: ['group'],
    buckets: SECONDS,
  },
  millrace_rebalances_total: { kind: 'counter', help: 'Assignments received.', labels: ['group'] },
  millrace_restore_seconds: {
    kind: 'histogram',
    help: 'Time to restore the state of one task.',
    labels: ['group'],
    buckets: SECONDS,
  },
  millrace_lane_rows: {
    kind: 'gauge',
    help: 'Rows read and not yet committed.',
    labels: ['topic', 'partition'],
  },
  millrace_lane_bytes: {
    kind: 'gauge',
    help: 'Bytes read and not yet committed; of lanes that have a bound.',
    labels: ['topic', 'partition'],
  },
  millrace_partition_paused: {
    kind: 'gauge',
    help: '1 while a partition is paused.',
    labels: ['topic', 'partition'],
  },
  millrace_lane_held: {
    kind: 'gauge',
    help: '1 while a partition stands still for a record that cannot be used yet.',
    labels: ['topic', 'partition', 'reason'],
  },
  millrace_paused_seconds_total: {
    kind: 'counter',
    help: 'Time a partition was paused.',
    labels: ['topic', 'partition'],
  },
  millrace_consumer_lag_records: {
    kind: 'gauge',
    help: 'Records between what is done and the end of the partition, paused or not.',
    labels: ['topic', 'partition'],
  },
  kafka_consumergroup_group_lag: {
    kind: 'gauge',
    help: 'The same, by the name that dashboards of lag exporters know.',
    labels: ['group', 'topic', 'partition'],
  },
  kafka_consumergroup_group_lag_seconds: {
    kind: 'gauge',
    help: 'Time since the append of the oldest record that was read and is not yet committed; 0 when there is none.',
    labels: ['group', 'topic', 'partition'],
  },
  millrace_state_entries: { kind: 'gauge', help: 'Entries of keyed state.', labels: ['group', 'task'] },
  millrace_epoch_applied: {
    kind: 'gauge',
    help: 'Newest live epoch applied by a stage.',
    labels: ['stage', 'task'],
  },
  millrace_model_batch_rows: {
    kind: 'histogram',
    help: 'Rows of one engine call.',
    labels: ['pipeline', 'model'],
    buckets: ROWS,
  },
  millrace_model_queue_seconds: {
    kind: 'histogram',
    help: 'Time a row waited for its engine call.',
    labels: ['pipeline', 'model'],
    buckets: SECONDS,
  },
  millrace_model_compute_seconds: {
    kind: 'histogram',
    help: 'Time in the engine of one call.',
    labels: ['pipeline', 'model'],
    buckets: SECONDS,
  },
  millrace_model_info: {
    kind: 'gauge',
    help: '1 for the model in force.',
    labels: ['pipeline', 'model', 'version', 'digest', 'provider'],
  },
  millrace_predictions_total: {
    kind: 'counter',
    help: 'Predictions by decision.',
    labels: ['pipeline', 'decision'],
  },
  millrace_prediction_score: {
    kind: 'histogram',
    help: 'First output of the model.',
    labels: ['pipeline'],
    buckets: [0.001, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1],
  },
  millrace_end_to_end_seconds: {
    kind: 'histogram',
    help: 'From the append of an event to the step named.',
    labels: ['pipeline', 'step'],
    buckets: SECONDS,
  },
  millrace_freshness_seconds: {
    kind: 'gauge',
    help: 'Now minus the newest event time seen.',
    labels: ['pipeline', 'stream'],
  },
  millrace_view_age_seconds: {
    kind: 'histogram',
    help: 'How far a view was behind the event of a vector, by event time.',
    labels: ['pipeline', 'view'],
    buckets: AGES,
  },
  millrace_entity_age_seconds: {
    kind: 'histogram',
    help: 'How long the entity of a vector had not been heard of in a view, by event time.',
    labels: ['pipeline', 'view'],
    buckets: AGES,
  },
  millrace_records_stale_total: {
    kind: 'counter',
    help: 'Vectors that rested on a view older than its bound, by what became of them: score, fallback, refuse.',
    labels: ['pipeline', 'view', 'policy'],
  },
  millrace_ingest_requests_total: {
    kind: 'counter',
    help: 'Requests by answer.',
    labels: ['pipeline', 'stream', 'status'],
  },
  millrace_ingest_events_total: {
    kind: 'counter',
    help: 'Events by outcome: accepted, duplicate, refused.',
    labels: ['pipeline', 'stream', 'outcome'],
  },
  millrace_ingest_in_flight_bytes: {
    kind: 'gauge',
    help: 'Bytes accepted and not yet acknowledged by the broker.',
    labels: [],
  },
  millrace_ingest_seconds: {
    kind: 'histogram',
    help: 'Time from request to answer.',
    labels: ['pipeline', 'stream'],
    buckets: SECONDS,
  },
  millrace_sink_rows_total: { kind: 'counter', help: 'Rows written, by table.', labels: ['table'] },
  millrace_sink_write_seconds: {
    kind: 'histogram',
    help: 'Time of one database transaction.',
    labels: ['table'],
    buckets: SECONDS,
  },
  millrace_event_loop_delay_seconds: {
    kind: 'gauge',
    help: 'p99 of the event loop delay over the last interval.',
    labels: [],
  },
  millrace_build_info: { kind: 'gauge', help: '1; the version that runs.', labels: ['service', 'version'] },
  ...BATCH_METRICS,
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
type NameOf<K extends MetricDefinition['kind']> = {
  [N in MetricName]: (typeof METRICS)[N]['kind'] extends K ? N : never;
}[MetricName];
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>;

/** The instruments of one process. Labels are checked by type; `noMetrics` measures nothing. */
export interface Metrics {
  /** Adds to a counter (default 1). */
  count<N extends NameOf<'counter'>>(name: N, labels: LabelsOf<N>, by?: number): void;
  set<N extends NameOf<'gauge'>>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Observes a histogram. @param times how often the value is found. Default 1 */
  observe<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>, value: number, times?: number): void;
  /** Observes each of the values: for what is known batch by batch. */
  observeAll<N extends NameOf<'histogram'>>(name: N, labels: LabelsOf<N>, values: ArrayLike<number>): void;
}

export const noMetrics: Metrics = {
  count: () => undefined,
  set: () => undefined,
  observe: () => undefined,
  observeAll: () => undefined,
};
