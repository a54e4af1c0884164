export {
  type Admin,
  type Broker,
  BrokerError,
  type BytesPlace,
  FencedError,
  type GroupListener,
  type GroupMember,
  type GroupOptions,
  type Membership,
  type OutRecord,
  type PartitionOffset,
  type Producer,
  type ReadOptions,
  type RecordRun,
  RefusedError,
  type TopicConfig,
  type TopicDescription,
  type TopicPartition,
  type TransactionalProducer,
} from './broker/port.ts';
export { LentPieces, Pieces } from './broker/pieces.ts';
export { noPlace, placeOf, placeOfKey, placeOfValue } from './broker/place.ts';
export { Lent, type SharedBytes, SharedRecord } from './broker/shared.ts';
export { decoded, type Seen, wholeTopic } from './broker/values.ts';
export type {
  Emitter,
  InboundBatch,
  KeyedState,
  Outcomes,
  RejectReason,
  SkipReason,
  Task,
  TaskContext,
} from './task.ts';
export { assignCoPartitioned } from './broker/assign.ts';
export { murmur2Partition } from './broker/murmur2.ts';
export { kafkaBroker } from './kafka/broker.ts';
export type { KafkaOptions } from './kafka/connect.ts';
export { type MemoryBroker, type MemoryBrokerOptions, memoryBroker } from './memory/broker.ts';
export {
  type CommitOptions,
  type Delivery,
  type InputOptions,
  type LaneMarks,
  type OutputOptions,
  type Processor,
  type ProcessorOptions,
  type RejectPolicies,
  type RejectPolicy,
  type RetryOptions,
} from './processor/options.ts';
export {
  type InboundRecord,
  perRecord,
  type RecordHandler,
  type RecordOutcomes,
} from './processor/perRecord.ts';
export { processor } from './processor/processor.ts';
export { restore as restoreState, type Restored, type RestoreOptions } from './state/restore.ts';
export { lmdbStores } from './lmdb/store.ts';
export { type Change, type Mark, memoryStore, type StateStore } from './state/store.ts';
export { type GlobalTable, globalTable, type GlobalTableOptions } from './table/table.ts';
