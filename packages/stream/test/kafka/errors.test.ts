import { expect, test } from '@jest/globals';
import { BrokerError, FencedError, RefusedError } from '../../src/broker/port.ts';
import { isRefusedForNow, isUnanswered, portError } from '../../src/kafka/errors.ts';
import { loadSource } from './patch/load.ts';

const { errorCodes, createErrorFromCode } = loadSource('kafkajs/src/protocol/error') as {
  errorCodes: readonly { type: string; code: number }[];
  createErrorFromCode: (code: number) => Error;
};
const errors = loadSource('kafkajs/src/errors') as Record<string, new (...args: unknown[]) => Error>;

const protocolError = (type: string): Error =>
  createErrorFromCode(errorCodes.find(one => one.type === type)!.code);

const connectionError = (code?: string): Error =>
  new errors['KafkaJSConnectionError']!('Connection error', { broker: 'h:1', code });

test.each(['INVALID_PRODUCER_EPOCH', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'REBALANCE_IN_PROGRESS'])(
  '%s means that somebody newer owns the work',
  type => {
    expect(portError('x', protocolError(type))).toBeInstanceOf(FencedError);
    expect(isRefusedForNow(protocolError(type))).toBe(false);
  },
);

test.each([
  'NOT_LEADER_FOR_PARTITION',
  'CONCURRENT_TRANSACTIONS',
  'NOT_COORDINATOR_FOR_GROUP',
  'NOT_CONTROLLER',
])('%s was refused for now, and may be asked again', type => {
  expect(isRefusedForNow(protocolError(type))).toBe(true);
  expect(isUnanswered(protocolError(type))).toBe(false);
  expect(portError('x', protocolError(type))).toMatchObject({ retriable: true });
});

test.each([
  'MESSAGE_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'OFFSET_OUT_OF_RANGE',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
])('%s will be so again', type => {
  expect(isRefusedForNow(protocolError(type))).toBe(false);
  expect(portError('x', protocolError(type))).toMatchObject({ retriable: false });
});

test('a connection that ended leaves open whether the request was executed', () => {
  const closed = new errors['KafkaJSConnectionClosedError']!('Closed connection', { host: 'h', port: 1 });
  expect(isUnanswered(closed)).toBe(true);
  expect(isRefusedForNow(closed)).toBe(false);
});

test.each([
  ['our user may not do it', protocolError('GROUP_AUTHORIZATION_FAILED'), '`millrace acls print`'],
  ['our password is wrong', new errors['KafkaJSSASLAuthenticationError']!('SASL failed'), 'KAFKA_SASL_PASSWORD'],
  ...['CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map(
    code => [code, connectionError(code), 'KAFKA_SSL_CA_LOCATION'] as const,
  ),
  ...['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'ERR_SSL_WRONG_VERSION_NUMBER'].map(
    code => [code, connectionError(code), 'KAFKA_SECURITY_PROTOCOL'] as const,
  ),
])('%s: not tried again, and the message names the remedy', (_, error, remedy) => {
  expect([isUnanswered(error), isRefusedForNow(error)]).toEqual([false, false]);
  const told = portError('connect', error);
  expect(told).toBeInstanceOf(RefusedError);
  expect(told).toMatchObject({ retriable: false, message: expect.stringContaining(remedy) });
}); // prettier-ignore

test('a broker that is away is no refusal', () => {
  for (const code of ['ECONNREFUSED', 'ECONNRESET', undefined])
    expect(isUnanswered(connectionError(code))).toBe(true);
});

test('the cause counts where kafkajs wraps it', () => {
  const inner = protocolError('INVALID_PRODUCER_EPOCH');
  const wrapped = new errors['KafkaJSNumberOfRetriesExceeded']!(inner, { retryCount: 5, retryTime: 1 });
  expect(portError('commit', wrapped)).toMatchObject({
    name: 'FencedError',
    message: 'commit: INVALID_PRODUCER_EPOCH',
  });
});

test("the port's own errors pass as they are", () => {
  const error = new BrokerError('x', { retriable: false });
  expect(portError('y', error)).toBe(error);
});
