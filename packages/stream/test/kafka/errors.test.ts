import { expect, test } from '@jest/globals';
import { BrokerError, FencedError } from '../../src/broker/port.ts';
import { isRefusedForNow, isUnanswered, portError } from '../../src/kafka/errors.ts';
import { loadSource } from './patch/load.ts';

const { errorCodes, createErrorFromCode } = loadSource('kafkajs/src/protocol/error') as {
  errorCodes: readonly { type: string; code: number }[];
  createErrorFromCode: (code: number) => Error;
};
const errors = loadSource('kafkajs/src/errors') as Record<string, new (...args: unknown[]) => Error>;

const protocolError = (type: string): Error =>
  createErrorFromCode(errorCodes.find(one => one.type === type)!.code);

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
