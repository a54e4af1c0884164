export { catalogue, type ServiceName, type Topic, type TopicKind } from './catalogue.ts';
export {
  type ControlEntry,
  controlKey,
  type ControlKind,
  controlRecord,
  type ControlRecord,
  type ControlValues,
  parseControl,
} from './control.ts';
export { repositorySchemas, SCHEMA_FOLDER, schemaFolder, type SchemaSource } from './files/schemas.ts';
export { compactSchema } from './generate/avsc.ts';
export { featuresSchema, type PipelineSchemas, predictionSchema, schemasOf } from './generate/schemas.ts';
export { inputHash, predictionId } from './identity.ts';
export { applySchemas, schemaPlan, type SchemaStep } from './plan/schemas.ts';
export { type ExistingTopic, topicPlan, type TopicStep } from './plan/topics.ts';
export {
  deadLetterTopic,
  MILLRACE_TOPICS,
  type PipelineTopics,
  stageKeys,
  topicsOf,
  valueSubject,
} from './topics.ts';
export type { FeaturesValue, PredictionValue } from './values.ts';
