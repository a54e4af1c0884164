export { FEATURE_DEFAULTS, FEATURE_SPEC, type FeatureConfig, type FeatureSettings } from './config.ts';
export { featureGroup, featureService, type FeatureServiceOptions } from './service.ts';
export {
  backfillId,
  type BackfillOptions,
  backfillTopics,
  captureBackfill,
  DISORDER_MS_DEFAULT,
  findBackfill,
  finishBackfill,
  SLICE_MS_DEFAULT,
} from './backfill.ts';
export { cutsLiveEpochs } from './plan.ts';
export { readRecorded, type RecordedEpochs, type RecordedInput } from './recorded.ts';
export { type Column, parquetBytes } from './parquet/write.ts';
export { type Reread, rereadEvents } from './reread.ts';
