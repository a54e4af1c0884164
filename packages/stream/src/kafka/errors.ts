import { BrokerError, FencedError } from '../broker/port.ts';

/** What kafkajs throws: protocol errors carry Kafka's name of the error as `type`. */
interface Thrown {
  readonly name?: string;
  readonly type?: string;
  readonly message?: string;
  readonly retriable?: boolean;
  readonly cause?: unknown;
}

const FENCED = new Set([
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
  'TRANSACTION_COORDINATOR_FENCED',
  'UNKNOWN_PRODUCER_ID',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'REBALANCE_IN_PROGRESS',
  'FENCED_INSTANCE_ID',
]);

/** The connection ended or nobody answered: nobody knows whether the request was executed. */
const UNANSWERED = new Set([
  'KafkaJSConnectionError',
  'KafkaJSConnectionClosedError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSLockTimeout',
]);

/** Metadata that is old or absent: nothing was executed. */
const UNINFORMED = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSTopicMetadataNotLoaded',
  'KafkaJSGroupCoordinatorNotFound',
  'KafkaJSNoBrokerAvailableError',
]);

/** Protocol errors that kafkajs calls final and that pass by themselves. */
const PASSING = new Set(['BROKER_NOT_AVAILABLE', 'OPERATION_NOT_ATTEMPTED', 'NOT_CONTROLLER']);

const causeOf = (error: Thrown): Thrown => {
  const inner = error.cause as Thrown | undefined;
  return error.type === undefined && inner !== undefined && inner !== null ? causeOf(inner) : error;
};

/** Kafka's name of the error that is behind what was thrown. */
export const typeOf = (error: unknown): string | undefined => causeOf(error as Thrown).type;

export const isFencing = (error: unknown): boolean =>
  error instanceof FencedError || FENCED.has(typeOf(error) ?? '');

export const isUnanswered = (error: unknown): boolean => UNANSWERED.has(causeOf(error as Thrown).name ?? '');

/** The broker answered, or was not asked: the request was not executed, and may succeed later. */
export const isRefusedForNow = (error: unknown): boolean => {
  const { name, type, retriable } = causeOf(error as Thrown);
  if (type !== undefined) return (retriable === true || PASSING.has(type)) && !FENCED.has(type);
  return UNINFORMED.has(name ?? '');
};

export const isPassing = (error: unknown): boolean => isUnanswered(error) || isRefusedForNow(error);

/** The port's error for what kafkajs threw. */
export const portError = (what: string, error: unknown): BrokerError | FencedError => {
  if (error instanceof BrokerError || error instanceof FencedError) return error;
  const { type, message } = causeOf(error as Thrown);
  const text = `${what}: ${type ?? message ?? String(error)}`;
  if (isFencing(error)) return new FencedError(text, error);
  return new BrokerError(text, { retriable: isPassing(error), cause: error });
};
