export { SINK_DEFAULTS, SINK_SPEC, type SinkConfig } from './config.ts';
export {
  type Database,
  type DatabaseOptions,
  openDatabase,
  type SinkPartition,
  type StoredPrediction,
} from './postgres/database.ts';
export { BadRows, DatabaseAway, OvertakenError, StoredOffsetError } from './postgres/errors.ts';
export { sinkRoutes } from './routes.ts';
export { sinkGroup, type SinkOptions, sinkService } from './service.ts';
