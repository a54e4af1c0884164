export { inferenceSpec } from './config.ts';
export { folderModels, type ModelSource } from './models.ts';
export { COMMIT_INTERVAL_MS, type InferenceOptions, inferenceService } from './service.ts';
