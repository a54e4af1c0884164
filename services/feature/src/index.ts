export { FEATURE_DEFAULTS, FEATURE_SPEC, type FeatureConfig, type FeatureSettings } from './config.ts';
export { featureGroup, featureService, type FeatureServiceOptions } from './service.ts';
