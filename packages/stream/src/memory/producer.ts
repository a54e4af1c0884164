import { BrokerError, type Producer, type TransactionalProducer } from '../broker/port.ts';
import type { MemoryClient } from './client.ts';

const TRANSACTION_TIMEOUT_MS = 20_000;

/** One call after the other, in the order in which they were made. */
const inTurn = (): (<T>(call: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve();
  return call => {
    const next = last.then(call);
    last = next.catch(() => undefined); // The caller hears of it; the next call has its own answer.
    return next;
  };
};

export const memoryProducer = (client: MemoryClient): Producer => {
  const turn = inTurn();
  let closed = false;
  return {
    send: records =>
      turn(() =>
        client.request('send', () => {
          if (closed) throw new BrokerError('the producer is closed', { retriable: false });
          client.cluster.append(records);
        }),
      ),
    close: () =>
      turn(() => {
        closed = true;
        return Promise.resolve();
      }),
  };
};

/** Alive until its first error, then dead: whoever holds it takes a new one and reads again what was committed. */
export const memoryTransactionalProducer = async (
  client: MemoryClient,
  transactionalId: string,
): Promise<TransactionalProducer> => {
  const { cluster } = client;
  const turn = inTurn();
  const epoch = await client.request('fence', () => cluster.fence(transactionalId));
  let state: 'idle' | 'open' | 'dead' = 'idle';

  const step = (what: string, next: 'idle' | 'open', change: () => void): Promise<void> =>
    turn(async () => {
      if (state === 'dead')
        throw new BrokerError(`producer ${transactionalId} is dead`, { retriable: false });
      try {
        await client.request(what, change);
        state = next;
      } catch (error) {
        state = 'dead';
        throw error;
      }
    });
  const open = () => cluster.transaction(transactionalId, epoch, TRANSACTION_TIMEOUT_MS);

  return {
    send: records =>
      records.length === 0 ? Promise.resolve() : step('send', 'open', () => cluster.append(records, open())),
    sendOffsets: (of, offsets) =>
      step('sendOffsets', 'open', () => {
        const group = typeof of === 'string' ? of : of.group;
        if (typeof of !== 'string') cluster.group(group).prove(of.memberId, of.generation);
        const { offsets: held } = open();
        for (const offset of offsets) held.push({ group, offset });
      }),
    commit: () => step('commit', 'idle', () => cluster.endTransaction(transactionalId, epoch, 'committed')),
    abort: () => step('abort', 'idle', () => cluster.endTransaction(transactionalId, epoch, 'aborted')),
    close: () =>
      turn(async () => {
        if (state === 'open')
          await client
            .request('abort', () => cluster.endTransaction(transactionalId, epoch, 'aborted'))
            .catch(() => undefined);
        state = 'dead';
      }),
  };
};
