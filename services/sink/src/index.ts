export { SINK_DEFAULTS, SINK_SPEC, type SinkConfig } from './config.ts';
export {
  type Database,
  ForeignTopicError,
  openDatabase,
  OvertakenError,
  type SinkPartition,
  type StoredPrediction,
} from './postgres/database.ts';
export { sinkRoutes } from './routes.ts';
export { sinkGroup, type SinkOptions, sinkService } from './service.ts';
