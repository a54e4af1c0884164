import { BrokerError, FencedError, RefusedError } from '../broker/port.ts';

/** What kafkajs throws: protocol errors carry Kafka's name of the error as `type`. */
interface Thrown {
  readonly name?: string;
  readonly type?: string;
  readonly message?: string;
  readonly retriable?: boolean;
  /** Of a connection: OpenSSL's name of the error, or the system's. */
  readonly code?: unknown;
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
  'SilentNodeError',
]);

/** Protocol errors that kafkajs calls final and that pass by themselves. */
const PASSING = new Set(['BROKER_NOT_AVAILABLE', 'NOT_CONTROLLER']);

const NOT_THEIRS = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/;
const NOT_OURS = /_ALERT_|HANDSHAKE|WRONG_VERSION/;

/** What a person can do where Kafka does not let us in, or not do this; undefined for every other error. */
const remedyOf = ({ name, type, code }: Thrown): string | undefined => {
  if (type?.endsWith('_AUTHORIZATION_FAILED') === true)
    return 'our user may not do this: `millrace acls print` tells which rights it needs';
  if (name === 'KafkaJSSASLAuthenticationError' || type?.includes('SASL') === true)
    return 'check KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD';
  if (name !== 'KafkaJSConnectionError') return undefined;
  if (NOT_OURS.test(String(code)))
    return 'TLS is refused: check KAFKA_SECURITY_PROTOCOL, and KAFKA_SSL_CERTIFICATE_LOCATION where brokers ask for our certificate';
  if (NOT_THEIRS.test(String(code)))
    return "the broker's certificate is not accepted: KAFKA_SSL_CA_LOCATION must hold what signs it, and it must be valid today and name the broker's address";
  return undefined;
};

/** What passes by itself as a rule, and what it means where it does not. */
const hintOf = ({ type }: Thrown): string =>
  type === 'UNSTABLE_OFFSET_COMMIT'
    ? ' (a transaction that holds offsets of the group has not ended; should it last, `kafka-transactions.sh find-hanging` names it)'
    : '';

const causeOf = (error: Thrown): Thrown => {
  const inner = error.cause as Thrown | undefined;
  return error.type === undefined && inner !== undefined && inner !== null ? causeOf(inner) : error;
};

/** Kafka's name of the error that is behind what was thrown. */
export const typeOf = (error: unknown): string | undefined => causeOf(error as Thrown).type;

/** Kafka does not let us in, or not do this. */
export const isRefusal = (error: unknown): boolean => remedyOf(causeOf(error as Thrown)) !== undefined;

export const isFencing = (error: unknown): boolean =>
  error instanceof FencedError || FENCED.has(typeOf(error) ?? '');

export const isUnanswered = (error: unknown): boolean => {
  const cause = causeOf(error as Thrown);
  return UNANSWERED.has(cause.name ?? '') && remedyOf(cause) === undefined;
};

/** Nobody was asked: metadata lacks the node, or it is silent just now. */
export const isUninformed = (error: unknown): boolean => UNINFORMED.has(causeOf(error as Thrown).name ?? '');

/** The broker answered, or was not asked: the request was not executed, and may succeed later. */
export const isRefusedForNow = (error: unknown): boolean => {
  const { type, retriable } = causeOf(error as Thrown);
  if (type !== undefined) return (retriable === true || PASSING.has(type)) && !FENCED.has(type);
  return isUninformed(error);
};

export const isPassing = (error: unknown): boolean => isUnanswered(error) || isRefusedForNow(error);

/** The port's error for what kafkajs threw. */
export const portError = (what: string, error: unknown): BrokerError | FencedError => {
  if (error instanceof BrokerError || error instanceof FencedError) return error;
  const cause = causeOf(error as Thrown);
  const text = `${what}: ${cause.type ?? cause.message ?? String(error)}${hintOf(cause)}`;
  const remedy = remedyOf(cause);
  if (remedy !== undefined) return new RefusedError(`${text}; ${remedy}`, error);
  if (isFencing(error)) return new FencedError(text, error);
  return new BrokerError(text, { retriable: isPassing(error), cause: error });
};
