import { afterEach, expect, test } from '@jest/globals';
import { type Broker, BrokerError } from '../../src/broker/port.ts';
import type { ProcessorOptions } from '../../src/processor/options.ts';
import { perRecord } from '../../src/processor/perRecord.ts';
import { eventually, makeRig, type Outputs, readAll, type Rig } from './rig.ts';

let rig: Rig;
afterEach(() => rig.close());

/** Answers each record with itself; one that begins with a mark becomes a dead letter. */
const copying: Pick<ProcessorOptions<string, Outputs>, 'createTask' | 'delivery'> = {
  delivery: 'at_least_once',
  createTask: () => ({
    handle: perRecord<string, Outputs>((record, out) => out.emit('out', record.key!, record.value)),
  }),
};
const NEVER = { intervalMs: 60_000 };
const valuesOf = async (topic: string): Promise<string[]> =>
  (await readAll(rig.broker, topic)).map(({ value }) => value);
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve));
};

/** A broker of which sends, or commits, wait for the test. */
const holding = (what: 'send' | 'commit') => {
  const waiting: (() => void)[] = [];
  const held = <T>(call: () => Promise<T>): Promise<T> =>
    new Promise<void>(resolve => waiting.push(resolve)).then(call);
  const wrap = (broker: Broker): Broker => ({
    ...broker,
    producer: async () => {
      const producer = await broker.producer();
      const send = (records: Parameters<typeof producer.send>[0]) => producer.send(records);
      return { ...producer, send: what === 'send' ? records => held(() => send(records)) : send };
    },
    join: async (options, listener) => {
      const membership = await broker.join(options, listener);
      if (what === 'commit') {
        const commit = membership.commit.bind(membership);
        membership.commit = offsets => held(() => commit(offsets));
      }
      return membership;
    },
  });
  return { waiting, wrap };
};

test('outputs and dead letters do not wait for the commit of their offsets', async () => {
  rig = await makeRig();
  const processor = await rig.run<string>({ ...copying, commit: NEVER });
  await rig.send('in', 0, ['a', '!b', 'c']);
  await eventually('all is sent', async () => (await valuesOf('out')).length === 2);
  expect([await valuesOf('out'), await valuesOf('in.dlq')]).toEqual([['a', 'c'], ['!b']]);
  expect(await rig.committed(0)).toBeUndefined();
  // A stop commits what was sent.
  await processor.stop(5_000);
  expect(await rig.committed(0)).toBe(3);
});

test('with exactly once they do', async () => {
  rig = await makeRig();
  const processor = await rig.run<string>({ ...copying, delivery: 'exactly_once', commit: NEVER });
  await rig.send('in', 0, ['a', 'b']);
  await eventually('the task runs', () => processor.notReady() === undefined);
  await turns(200);
  expect(await valuesOf('out')).toEqual([]);
  await processor.stop(5_000);
  expect([await valuesOf('out'), await rig.committed(0)]).toEqual([['a', 'b'], 2]);
});

test('offsets are committed once their outputs are acknowledged, and not before', async () => {
  const { waiting, wrap } = holding('send');
  rig = await makeRig(1, wrap);
  await rig.run<string>(copying);
  await rig.send('in', 0, ['a']);
  await eventually('it is sent', () => waiting.length === 1);
  // What follows waits for its turn: one send is under way at a time.
  await rig.send('in', 0, ['b', 'c']);
  await turns(200);
  expect([waiting.length, await rig.committed(0)]).toEqual([1, undefined]);
  waiting.shift()!();
  // A commit takes what is acknowledged once everything that is ready has been sent.
  await eventually('the others are sent', () => waiting.length === 1);
  await turns(200);
  expect(await valuesOf('out')).toEqual(['a']);
  expect((await rig.committed(0)) ?? 0).toBeLessThanOrEqual(1);
  waiting.shift()!();
  await eventually('all is committed', async () => (await rig.committed(0)) === 3);
  expect(await valuesOf('out')).toEqual(['a', 'b', 'c']);
});

test('outputs do not wait for a commit that is under way', async () => {
  const { waiting, wrap } = holding('commit');
  rig = await makeRig(1, wrap);
  await rig.run<string>(copying);
  await rig.send('in', 0, ['a']);
  await eventually('a commit is under way', () => waiting.length === 1);
  await rig.send('in', 0, ['b']);
  await eventually('the next is sent', async () => (await valuesOf('out')).length === 2);
  expect(await rig.committed(0)).toBeUndefined();
  waiting.shift()!();
  await eventually('the next commit', () => waiting.length === 1);
  expect(await rig.committed(0)).toBe(1);
  waiting.shift()!();
  await eventually('all is committed', async () => (await rig.committed(0)) === 2);
});

test('nothing is sent behind a send that has failed', async () => {
  const { waiting, wrap } = holding('send');
  let failures = 0;
  rig = await makeRig(1, broker => {
    const held = wrap(broker);
    const producer = async () => {
      const made = await held.producer();
      return {
        ...made,
        send: async (records: Parameters<typeof made.send>[0]) => {
          if (failures++ === 0) {
            await new Promise<void>(resolve => waiting.push(resolve));
            throw new BrokerError('the connection was lost', { retriable: true });
          }
          await made.send(records);
        },
      };
    };
    return { ...held, producer };
  });
  await rig.run<string>(copying);
  await rig.send('in', 0, ['a']);
  await eventually('it is sent', () => waiting.length === 1);
  await rig.send('in', 0, ['b']);
  await turns(200);
  expect(waiting.length).toBe(1);
  waiting.shift()!();
  await eventually('all is sent again', async () => {
    waiting.shift()?.();
    return (await rig.committed(0)) === 2;
  });
  // Had the second been sent behind the first, it would stand before it.
  expect(await valuesOf('out')).toEqual(['a', 'b']);
});
