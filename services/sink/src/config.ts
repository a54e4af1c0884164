import {
  type ConfigOf,
  databaseFields,
  kafkaFields,
  listField,
  numberField,
  optional,
  registryFields,
  usual,
} from '@millrace/runtime';

/** Settings of the sink. */
export const SINK_SPEC = {
  ...kafkaFields,
  ...registryFields,
  ...databaseFields,
  host: usual.host,
  port: usual.port,
  stallMsMax: usual.stallMsMax,
  pipelines: optional(
    listField({ env: 'MILLRACE_PIPELINES', help: 'Pipelines to serve; all when left out.' }),
  ),
  rowsMax: numberField({
    env: 'SINK_ROWS_MAX',
    help: 'Rows of one database transaction, at most (one fetched run may be larger).',
    min: 1,
    max: 50_000,
    fallback: 2_000,
  }),
  laneRowsMax: numberField({
    env: 'SINK_LANE_ROWS_MAX',
    help: 'Rows of one partition read and not yet stored; reading pauses there.',
    min: 100,
    max: 1_000_000,
    fallback: 10_000,
  }),
  laneBytesMax: numberField({
    env: 'SINK_LANE_BYTES_MAX',
    help: 'Bytes of one partition read and not yet stored; reading pauses there.',
    min: 100_000,
    max: 1_000_000_000,
    fallback: 16_000_000,
  }),
  connectionsMax: numberField({
    env: 'SINK_CONNECTIONS_MAX',
    help: 'Database connections.',
    min: 1,
    max: 100,
    fallback: 4,
  }),
  connectTimeoutS: numberField({
    env: 'SINK_CONNECT_TIMEOUT_S',
    help: 'Longest wait for a database connection, seconds.',
    min: 1,
    max: 300,
    fallback: 10,
  }),
  answerTimeoutS: numberField({
    env: 'SINK_ANSWER_TIMEOUT_S',
    help: 'Longest wait for the database to answer; then its connections are given up, seconds.',
    min: 1,
    max: 600,
    fallback: 30,
  }),
} as const;

export type SinkConfig = ConfigOf<typeof SINK_SPEC>;

/** For a sink within another process. */
export const SINK_DEFAULTS = {
  rowsMax: SINK_SPEC.rowsMax.fallback!.value,
  laneRowsMax: SINK_SPEC.laneRowsMax.fallback!.value,
  laneBytesMax: SINK_SPEC.laneBytesMax.fallback!.value,
} as const;
