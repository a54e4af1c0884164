export {
  GPU_PROVIDERS,
  INFERENCE_DEFAULTS,
  INFERENCE_SPEC,
  type InferenceConfig,
  type InferenceSettings,
} from './config.ts';
export { COMMIT_INTERVAL_MS } from './line.ts';
export { folderModels, misfits, type ModelSource } from './models.ts';
export { runNight } from './night/night.ts';
export type { NightOptions, NightProgress, NightResult } from './night/options.ts';
export { capturedOf, type NightReport, type NightTerms, RunLog } from './night/record.ts';
export { NightRefused, sliceIsWhole } from './night/slice.ts';
export { nightScheduler, type SchedulerOptions } from './schedule/scheduler.ts';
export type { ScheduledPipeline } from './schedule/slots.ts';
export { type InferenceOptions, inferenceService } from './service.ts';
