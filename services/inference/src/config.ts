import { MODELS_FOLDER } from '@millrace/pipelines';
import { DEFAULT_BATCH_LIMITS } from '@millrace/model';
import {
  choiceField,
  type ConfigOf,
  kafkaFields,
  listField,
  numberField,
  optional,
  registryFields,
  textField,
  usual,
} from '@millrace/runtime';

/** Execution providers that may be the GPU of a process. */
export const GPU_PROVIDERS = ['cuda'] as const;

/** Settings of the inference service, beside those of every process. */
export const INFERENCE_SPEC = {
  ...kafkaFields,
  ...registryFields,
  host: usual.host,
  port: usual.port,
  stallMsMax: usual.stallMsMax,
  pipelines: optional(
    listField({ env: 'MILLRACE_PIPELINES', help: 'Names of the pipelines to serve; all without it.' }),
  ),
  models: textField({
    env: 'MILLRACE_MODELS',
    help: 'Folder of model folders, each with a manifest.json.',
    fallback: MODELS_FOLDER,
  }),
  batchRowsMax: numberField({
    env: 'INFERENCE_BATCH_ROWS_MAX',
    help: 'Rows of one engine call at most; the measured cost may keep it lower.',
    min: 1,
    max: 65_536,
    fallback: DEFAULT_BATCH_LIMITS.rowsMax,
  }),
  batchWaitMsMax: numberField({
    env: 'INFERENCE_BATCH_WAIT_MS_MAX',
    help: 'Longest that a row waits for others, milliseconds.',
    min: 0,
    max: 1_000,
    fallback: DEFAULT_BATCH_LIMITS.waitMsMax,
  }),
  gpu: choiceField({
    env: 'INFERENCE_GPU',
    help: 'Execution provider of the GPU that rules may choose: each model is opened on it and on the CPU.',
    of: ['off', ...GPU_PROVIDERS],
    fallback: 'off',
  }),
  commitIntervalMs: optional(
    numberField({
      env: 'INFERENCE_COMMIT_INTERVAL_MS',
      help: 'Longest wait for a commit, milliseconds: exactly once of predictions (25), at least once of their offsets alone (100).',
      min: 1,
      max: 10_000,
    }),
  ),
  fetchLingerMs: numberField({
    env: 'INFERENCE_FETCH_LINGER_MS',
    help: 'Wait between two fetches of which the first brought little, milliseconds: more is cheaper at a low rate, and later.',
    min: 0,
    max: 1_000,
    fallback: 4,
  }),
  fetchWaitMsMax: numberField({
    env: 'INFERENCE_FETCH_WAIT_MS_MAX',
    help: 'Longest that the broker waits for vectors before it answers that there are none, milliseconds.',
    min: 1,
    max: 5_000,
    fallback: 100,
  }),
  fetchBytesMin: numberField({
    env: 'INFERENCE_FETCH_BYTES_MIN',
    help: 'Bytes of all partitions of a broker that it waits for, INFERENCE_FETCH_WAIT_MS_MAX at most, before it answers: more is cheaper at a low rate, and later.',
    min: 1,
    max: 1_048_576,
    fallback: 1,
  }),
  fetchBytesMax: numberField({
    env: 'INFERENCE_FETCH_BYTES_MAX',
    help: 'Bytes of one partition that a fetch brings at most; a record batch that is larger comes alone.',
    min: 1_024,
    max: 16_777_216,
    fallback: 262_144,
  }),
  laneRowsMax: numberField({
    env: 'INFERENCE_LANE_ROWS_MAX',
    help: 'Vectors of one partition read and not yet committed; reading pauses there.',
    min: 100,
    max: 1_000_000,
    fallback: 5_000,
  }),
  laneBytesMax: numberField({
    env: 'INFERENCE_LANE_BYTES_MAX',
    help: 'Bytes of one partition read and not yet committed; reading pauses there.',
    min: 100_000,
    max: 1_000_000_000,
    fallback: 4_000_000,
  }),
  sessionTimeoutMs: numberField({
    env: 'INFERENCE_SESSION_TIMEOUT_MS',
    help: 'How long a dead member keeps its partitions, milliseconds.',
    min: 100,
    max: 300_000,
    fallback: 6_000,
  }),
} as const;

export type InferenceConfig = ConfigOf<typeof INFERENCE_SPEC>;
/** What the service itself needs of them; the addresses are for the process. */
export type InferenceSettings = Pick<
  InferenceConfig,
  | 'batchRowsMax'
  | 'batchWaitMsMax'
  | 'gpu'
  | 'commitIntervalMs'
  | 'fetchLingerMs'
  | 'fetchBytesMin'
  | 'fetchBytesMax'
  | 'laneRowsMax'
  | 'laneBytesMax'
  | 'fetchWaitMsMax'
  | 'sessionTimeoutMs'
  | 'stallMsMax'
>;

export const INFERENCE_DEFAULTS: InferenceSettings = {
  batchRowsMax: INFERENCE_SPEC.batchRowsMax.fallback!.value,
  batchWaitMsMax: INFERENCE_SPEC.batchWaitMsMax.fallback!.value,
  gpu: INFERENCE_SPEC.gpu.fallback!.value,
  commitIntervalMs: undefined,
  fetchLingerMs: INFERENCE_SPEC.fetchLingerMs.fallback!.value,
  fetchBytesMin: INFERENCE_SPEC.fetchBytesMin.fallback!.value,
  fetchBytesMax: INFERENCE_SPEC.fetchBytesMax.fallback!.value,
  laneRowsMax: INFERENCE_SPEC.laneRowsMax.fallback!.value,
  laneBytesMax: INFERENCE_SPEC.laneBytesMax.fallback!.value,
  fetchWaitMsMax: INFERENCE_SPEC.fetchWaitMsMax.fallback!.value,
  sessionTimeoutMs: INFERENCE_SPEC.sessionTimeoutMs.fallback!.value,
  stallMsMax: INFERENCE_SPEC.stallMsMax.fallback!.value,
};
