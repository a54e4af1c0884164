import type { Broker, Membership, Producer, TransactionalProducer } from '../../src/broker/port.ts';

/** `before`: the call never reached the broker. `after`: it did, and the answer was lost. */
export type Fault = { readonly when: 'before' | 'after'; readonly error: () => Error };
/** Asked once per call, by its name; undefined lets it through. */
export type Strike = (call: string) => Fault | undefined;

const through = async <T>(strike: Strike, call: string, act: () => Promise<T>): Promise<T> => {
  const fault = strike(call);
  if (fault?.when === 'before') throw fault.error();
  const result = await act();
  if (fault !== undefined) throw fault.error();
  return result;
};

/** A broker whose calls fail as the strike says. Only calls that a processor makes while it works are struck. */
export const faulty = (broker: Broker, strike: Strike): Broker => ({
  ...broker,
  admin: {
    ...broker.admin,
    committed: (...of) => through(strike, 'committed', () => broker.admin.committed(...of)),
    endOffsets: topic => through(strike, 'endOffsets', () => broker.admin.endOffsets(topic)),
  },
  producer: async () => {
    const producer: Producer = await through(strike, 'producer', () => broker.producer());
    return {
      send: records => through(strike, 'send', () => producer.send(records)),
      close: () => producer.close(),
    };
  },
  transactionalProducer: async id => {
    const taken = await through(strike, 'fence', () => broker.transactionalProducer(id));
    const producer: TransactionalProducer = {
      send: records => through(strike, 'send', () => taken.send(records)),
      sendOffsets: (of, offsets) => through(strike, 'sendOffsets', () => taken.sendOffsets(of, offsets)),
      commit: () => through(strike, 'commit', () => taken.commit()),
      abort: () => taken.abort(),
      close: () => taken.close(),
    };
    return producer;
  },
  join: async (options, listener) => {
    const membership = await broker.join(options, listener);
    const struck: Membership = {
      get generation() {
        return membership.generation;
      },
      pause: partitions => membership.pause(partitions),
      resume: partitions => membership.resume(partitions),
      seek: to => membership.seek(to),
      commit: offsets => through(strike, 'memberCommit', () => membership.commit(offsets)),
      member: () => membership.member(),
      heartbeat: () => through(strike, 'heartbeat', () => membership.heartbeat()),
      leave: () => membership.leave(),
    };
    return struck;
  },
});
