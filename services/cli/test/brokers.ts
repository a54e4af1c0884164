/** Clients of the broker in memory that come to harm in the midst of a transaction. */
import { type Broker, BrokerError, type MemoryBroker, type TransactionalProducer } from '@millrace/stream';
import type { World } from '../src/world/prepare.ts';

export type Step = 'send' | 'sendOffsets' | 'commit';

/** The broker with transactional producers of another kind. */
const over = (broker: Broker, transactionalProducer: Broker['transactionalProducer']): Broker => ({
  admin: broker.admin,
  producer: () => broker.producer(),
  join: (options, listener) => broker.join(options, listener),
  read: options => broker.read(options),
  close: () => broker.close(),
  transactionalProducer,
});

/** What a step does instead, for the n-th call of it. */
type Struck = (step: Step, act: () => Promise<void>) => Promise<void>;

const struckProducer = (producer: TransactionalProducer, struck: Struck): TransactionalProducer => ({
  send: records => struck('send', () => producer.send(records)),
  sendOffsets: (group, offsets) => struck('sendOffsets', () => producer.sendOffsets(group, offsets)),
  commit: () => struck('commit', () => producer.commit()),
  abort: () => producer.abort(),
  close: () => producer.close(),
});

/** A client that is gone just before or just after the n-th call of a step. */
export const dying = (broker: MemoryBroker, step: Step, when: 'before' | 'after', nth = 1): Broker => {
  const dead = (): never => {
    throw new BrokerError('this client is dead', { retriable: false });
  };
  let calls = 0;
  return over(broker, async id => {
    const producer = await broker.transactionalProducer(id);
    const struck: Struck = async (call, act) => {
      const isStruck = call === step && ++calls === nth;
      if (isStruck && when === 'before') dead();
      await act();
      if (isStruck) dead();
    };
    // Whoever is dead does not end its transaction either.
    return { ...struckProducer(producer, struck), close: async () => undefined };
  });
};

/** Something happens just before its n-th reading begins. */
export const beforeReading = (world: World, meanwhile: () => Promise<void>, nth = 1): World => {
  const { broker } = world;
  let reads = 0;
  const read: Broker['read'] = async function* (options) {
    if (++reads === nth) await meanwhile();
    yield* broker.read(options);
  };
  return { ...world, broker: { ...over(broker, id => broker.transactionalProducer(id)), read } };
};

/** Somebody else begins between its reading and its n-th commit, or another step. */
export const overtaken = (
  world: World,
  meanwhile: () => Promise<void>,
  nth = 1,
  step: Step = 'commit',
): World => {
  let calls = 0;
  return {
    ...world,
    broker: over(world.broker, async id => {
      const producer = await world.broker.transactionalProducer(id);
      return struckProducer(producer, async (call, act) => {
        if (call === step && ++calls === nth) await meanwhile();
        await act();
      });
    }),
  };
};
