export { type Acl, type AclOperation, type AclResource, aclsOf } from './acls.ts';
export { EVENT_BYTES_MAX, EVENT_KEY_BYTES_MAX } from './bounds.ts';
export { asyncApi, type AsyncApiOptions } from './generate/asyncapi.ts';
export {
  catalogue,
  RESTORED_SEGMENT_BYTES,
  type ServiceName,
  type Topic,
  type TopicKind,
  type TopicValue,
} from './catalogue.ts';
export {
  CHAMPION,
  championOf,
  type ControlEntry,
  controlKey,
  type ControlKind,
  controlRecord,
  type ControlRecord,
  type ControlValues,
  parseControl,
  SERVING,
} from './control.ts';
export { schemaHistories } from './files/history.ts';
export { repositorySchemas, SCHEMA_FOLDER, schemaFolder, type SchemaSource } from './files/schemas.ts';
export { compactSchema } from './generate/avsc.ts';
export { generatedFiles, type GeneratedFile } from './generate/files.ts';
export { historyFile, historyProblems, type SchemaHistory, versionToKeep } from './generate/history.ts';
export {
  featuresSchema,
  fieldsInVectors,
  numericKpis,
  type PipelineSchemas,
  schemasOf,
} from './generate/schemas.ts';
export type { FraudFeatures } from './generated/fraud-features-v1.ts';
export type { FraudLabel } from './generated/fraud-label.ts';
export type { FraudPrediction } from './generated/fraud-prediction.ts';
export type { FraudTransaction } from './generated/fraud-transaction.ts';
export type { Cuts, VersionCut } from './generated/millrace-cuts.ts';
export type { Deferred } from './generated/millrace-deferred.ts';
export type { FeaturePublication } from './generated/millrace-publication.ts';
export type { Epochs, EpochStretch } from './generated/millrace-epochs.ts';
export type { Progress } from './generated/millrace-progress.ts';
export type { Redrive } from './generated/millrace-redrive.ts';
export type { Repartition, RepartitionRow } from './generated/millrace-repartition.ts';
export type { Run, Stretch } from './generated/millrace-run.ts';
export { INPUT_HASH_DIGITS, inputHash, PREDICTION_ID_DIGITS, predictionId } from './identity.ts';
export { InputHashes } from './inputHashes.ts';
export { type AnswerParts, PredictionIds } from './predictionIds.ts';
export { applySchemas, schemaPlan, type SchemaStep } from './plan/schemas.ts';
export { type ExistingTopic, topicPlan, type TopicStep } from './plan/topics.ts';
export { type Coordinates, isLetterHeader, type LetterAbout, letterOf } from './letters.ts';
export { type HeaderPair, isRedriveHeader, redriveHeaders, type Redriven, redrivenOf } from './redrive.ts';
export { isReplayHeader, REPLAY_RUN_HEADER, type Replayed, replayHeaders, replayRunOf } from './replay.ts';
export {
  DEFERRED,
  deferredGroup,
  isRunId,
  LIVE,
  NIGHT_GROUP,
  nightGroup,
  REPLAY_GROUP,
  replayGroup,
  SCHEDULE,
} from './runs.ts';
export {
  asideTopic,
  consumerGroup,
  deadLetterTopic,
  MILLRACE_TOPICS,
  type PipelineTopics,
  REDRIVE_GROUP,
  stageKeys,
  topicsOf,
  transactionalIdPrefix,
  valueSubject,
} from './topics.ts';
export {
  type FeaturesValue,
  type PredictionValue,
  PUSH_ENVELOPE,
  type PushValue,
  scoredValues,
} from './values.ts';
