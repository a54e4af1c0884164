import { expect, jest, test } from '@jest/globals';
import { loadSource } from './patch/load.ts';

interface RequestQueue {
  checkPendingRequests(): void;
  throttleCheckTimeoutId: unknown;
  destroy(): void;
}

const logger = { namespace: () => logger, debug: () => undefined, warn: () => undefined };

const queueOf = (): RequestQueue => {
  const QueueOf = loadSource('kafkajs/src/network/requestQueue') as new (options: object) => RequestQueue;
  return new QueueOf({
    maxInFlightRequests: null,
    requestTimeout: 1_000,
    enforceRequestTimeout: false,
    clientId: 'test',
    broker: 'none:0',
    logger,
    isConnected: () => true,
  });
};

test('a connection with nothing pending sets no timer', () => {
  const queue = queueOf();
  const setTimer = jest.spyOn(globalThis, 'setTimeout');
  try {
    queue.checkPendingRequests();
    expect(queue.throttleCheckTimeoutId).toBeNull();
    expect(setTimer).not.toHaveBeenCalled();
  } finally {
    setTimer.mockRestore();
    queue.destroy();
  }
});
