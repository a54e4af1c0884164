/** Settings of the services that capacity is reckoned with: their defaults. */
import { FEATURE_DEFAULTS } from '@millrace/feature';
import { INFERENCE_SPEC } from '@millrace/inference';

export const SETTINGS = {
  laneBytesMax: INFERENCE_SPEC.laneBytesMax.fallback!.value,
  cacheBytesMax: FEATURE_DEFAULTS.stateCacheBytesMax,
  epochMarginMs: FEATURE_DEFAULTS.epochMarginMs,
  /** How long a killed process keeps its partitions; the sink has what a group has where nothing is said. */
  sessionMs: {
    feature: FEATURE_DEFAULTS.sessionTimeoutMs,
    inference: INFERENCE_SPEC.sessionTimeoutMs.fallback!.value,
    sink: 6_000,
  },
} as const;
