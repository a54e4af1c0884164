import { DEFAULT_BATCH_LIMITS } from '@millrace/model';
import { type ConfigOf, listField, numberField, optional, textField, usual } from '@millrace/runtime';
import { COMMIT_INTERVAL_MS } from './service.ts';

/** Settings of the inference service, beside those of every process. */
export const inferenceSpec = {
  kafkaBootstrapServers: usual.kafkaBootstrapServers,
  schemaRegistryUrl: usual.schemaRegistryUrl,
  host: usual.host,
  port: usual.port,
  pipelines: optional(
    listField({ env: 'MILLRACE_PIPELINES', help: 'Names of the pipelines to serve; all without it.' }),
  ),
  models: textField({
    env: 'MILLRACE_MODELS',
    help: 'Folder of model folders, each with a manifest.json.',
    fallback: 'packages/pipelines/models',
  }),
  batchRowsMax: numberField({
    env: 'MILLRACE_BATCH_ROWS_MAX',
    help: 'Rows of one engine call at most; the measured cost may keep it lower.',
    min: 1,
    max: 65_536,
    fallback: DEFAULT_BATCH_LIMITS.rowsMax,
  }),
  batchWaitMsMax: numberField({
    env: 'MILLRACE_BATCH_WAIT_MS_MAX',
    help: 'Longest that a row waits for others, milliseconds.',
    min: 0,
    max: 1_000,
    fallback: DEFAULT_BATCH_LIMITS.waitMsMax,
  }),
  commitIntervalMs: numberField({
    env: 'MILLRACE_COMMIT_INTERVAL_MS',
    help: 'Longest that predictions wait for their commit, milliseconds.',
    min: 1,
    max: 10_000,
    fallback: COMMIT_INTERVAL_MS,
  }),
} as const;

export type InferenceConfig = ConfigOf<typeof inferenceSpec>;
