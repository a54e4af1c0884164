import { MODELS_FOLDER } from '@millrace/pipelines';
import { DEFAULT_BATCH_LIMITS } from '@millrace/model';
import {
  type ConfigOf,
  kafkaFields,
  listField,
  numberField,
  optional,
  registryFields,
  textField,
  usual,
} from '@millrace/runtime';

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
  commitIntervalMs: numberField({
    env: 'INFERENCE_COMMIT_INTERVAL_MS',
    help: 'Longest that predictions wait for their commit, milliseconds.',
    min: 1,
    max: 10_000,
    fallback: 25,
  }),
  fetchWaitMsMax: numberField({
    env: 'INFERENCE_FETCH_WAIT_MS_MAX',
    help: 'Longest that the broker waits for vectors before it answers that there are none, milliseconds.',
    min: 1,
    max: 5_000,
    fallback: 100,
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
  | 'commitIntervalMs'
  | 'fetchWaitMsMax'
  | 'sessionTimeoutMs'
  | 'stallMsMax'
>;

export const INFERENCE_DEFAULTS: InferenceSettings = {
  batchRowsMax: INFERENCE_SPEC.batchRowsMax.fallback!.value,
  batchWaitMsMax: INFERENCE_SPEC.batchWaitMsMax.fallback!.value,
  commitIntervalMs: INFERENCE_SPEC.commitIntervalMs.fallback!.value,
  fetchWaitMsMax: INFERENCE_SPEC.fetchWaitMsMax.fallback!.value,
  sessionTimeoutMs: INFERENCE_SPEC.sessionTimeoutMs.fallback!.value,
  stallMsMax: INFERENCE_SPEC.stallMsMax.fallback!.value,
};
