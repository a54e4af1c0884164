export {
  INFERENCE_DEFAULTS,
  INFERENCE_SPEC,
  type InferenceConfig,
  type InferenceSettings,
} from './config.ts';
export { folderModels, misfits, type ModelSource } from './models.ts';
export { type InferenceOptions, inferenceService } from './service.ts';
