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

/** Settings of the feature service. The grid of the epochs is the pipeline's own (`delivery.epochMs`). */
export const FEATURE_SPEC = {
  ...kafkaFields,
  ...registryFields,
  host: usual.host,
  port: usual.port,
  stallMsMax: usual.stallMsMax,
  pipelines: optional(
    listField({
      env: 'MILLRACE_PIPELINES',
      help: 'Pipelines to serve; all when left out. NAME@VERSION is one with that version of its feature set.',
    }),
  ),
  epochMarginMs: numberField({
    env: 'FEATURE_EPOCH_MARGIN_MS',
    help: 'How long after the end of an epoch its last records may arrive, milliseconds; later ones go into the next.',
    min: 0,
    max: 10_000,
    fallback: 10,
  }),
  epochsAheadMax: numberField({
    env: 'FEATURE_EPOCHS_AHEAD_MAX',
    help: 'Epochs with records that a source partition may be ahead of the last stage; reading pauses there.',
    min: 1,
    max: 10_000,
    fallback: 20,
  }),
  tickMs: numberField({
    env: 'FEATURE_TICK_MS',
    help: 'How often the clock is asked whether an epoch has ended, milliseconds.',
    min: 1,
    max: 1_000,
    fallback: 10,
  }),
  fetchWaitMsMax: numberField({
    env: 'FEATURE_FETCH_WAIT_MS_MAX',
    help: 'Longest that the broker waits for records before it answers that there are none, milliseconds.',
    min: 1,
    max: 5_000,
    fallback: 25,
  }),
  fetchLingerMs: numberField({
    env: 'FEATURE_FETCH_LINGER_MS',
    help: 'Wait between two fetches of which the first brought little, milliseconds: more is cheaper for the broker, and later.',
    min: 0,
    max: 1_000,
    fallback: 10,
  }),
  stateDir: optional(
    textField({
      env: 'MILLRACE_STATE_DIR',
      help: 'Folder of this process alone, in which tasks keep their state; without it state is in memory, and every start restores it from the changelog.',
    }),
  ),
  stateCacheBytesMax: numberField({
    env: 'FEATURE_STATE_CACHE_BYTES_MAX',
    help: 'Entities that the tasks of a pipeline keep in memory, bytes, together; what has no room is read from the store again.',
    min: 1_048_576,
    fallback: 1_073_741_824,
  }),
  sessionTimeoutMs: numberField({
    env: 'FEATURE_SESSION_TIMEOUT_MS',
    help: 'How long a dead member keeps its partitions, milliseconds; every pipeline it served waits as long.',
    min: 100,
    max: 300_000,
    fallback: 6_000,
  }),
} as const;

export type FeatureConfig = ConfigOf<typeof FEATURE_SPEC>;
/** What the service itself needs of them; the addresses are for the process. */
export type FeatureSettings = Pick<
  FeatureConfig,
  | 'epochMarginMs'
  | 'epochsAheadMax'
  | 'tickMs'
  | 'fetchWaitMsMax'
  | 'fetchLingerMs'
  | 'sessionTimeoutMs'
  | 'stallMsMax'
  | 'stateDir'
  | 'stateCacheBytesMax'
>;

export const FEATURE_DEFAULTS: FeatureSettings = {
  epochMarginMs: FEATURE_SPEC.epochMarginMs.fallback!.value,
  epochsAheadMax: FEATURE_SPEC.epochsAheadMax.fallback!.value,
  tickMs: FEATURE_SPEC.tickMs.fallback!.value,
  fetchWaitMsMax: FEATURE_SPEC.fetchWaitMsMax.fallback!.value,
  fetchLingerMs: FEATURE_SPEC.fetchLingerMs.fallback!.value,
  sessionTimeoutMs: FEATURE_SPEC.sessionTimeoutMs.fallback!.value,
  stallMsMax: FEATURE_SPEC.stallMsMax.fallback!.value,
  stateDir: undefined,
  stateCacheBytesMax: FEATURE_SPEC.stateCacheBytesMax.fallback!.value,
};
