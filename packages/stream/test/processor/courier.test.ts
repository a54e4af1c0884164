import { describe, expect, test } from '@jest/globals';
import type { OutRecord } from '../../src/broker/port.ts';
import { Lent, SharedRecord } from '../../src/broker/shared.ts';
import { acknowledgedCourier, SharedProducer } from '../../src/processor/delivery.ts';
import { SharedTransactions } from '../../src/processor/together.ts';
import { bytes, producerAndGroup, text } from './rig.ts';

const records: readonly OutRecord[] = [{ topic: 'out', partition: 0, key: bytes('k'), value: bytes('v') }];
const offsets = [{ topic: 'in', partition: 0, offset: 1 }];
const shipment = { records, offsets };
const done = (): Promise<void> => Promise.resolve();

test('at least once, a task that is revoked commits no offsets of what it sent', async () => {
  const { calls, producer, group } = producerAndGroup();
  const courier = acknowledgedCourier(new SharedProducer(() => Promise.resolve(producer)), group);
  await courier.send!(records);
  const ship = (signal: AbortSignal) => courier.ship(shipment, signal, () => undefined);
  await expect(ship(AbortSignal.abort(new Error('revoked')))).rejects.toThrow('revoked');
  expect(calls).toEqual([]);
  await ship(new AbortController().signal);
  expect(calls).toEqual(['offsets']);
});

describe('memory that is lent', () => {
  const lentBy = (back: () => void): readonly OutRecord[] => {
    const lent = new Lent(back);
    return [0, 1].map(partition => {
      lent.add();
      return SharedRecord.of('out', partition, { bytes: bytes('kv'), keyAt: 0, valueAt: 1, end: 2, lent });
    });
  };
  const refuses = { send: () => Promise.reject(new Error('refused')) };

  test('goes back once all of its records are acknowledged', async () => {
    const { producer, group: member } = producerAndGroup();
    let back = 0;
    const [first, second] = lentBy(() => back++);
    const courier = acknowledgedCourier(new SharedProducer(() => Promise.resolve(producer)), member);
    await courier.send!([first!, ...records]);
    expect(back).toBe(0);
    await courier.send!([second!]);
    expect(back).toBe(1);
    const signal = new AbortController().signal;
    const together = new SharedTransactions(member).courier(producer, 3);
    await together.ship({ records: lentBy(() => back++), offsets }, signal, () => undefined);
    expect(back).toBe(2);
  });

  test('stays out where a send has failed: nobody knows who still reads it', async () => {
    const { producer, group: member } = producerAndGroup(refuses);
    let back = 0;
    const lent = lentBy(() => back++);
    const courier = acknowledgedCourier(new SharedProducer(() => Promise.resolve(producer)), member);
    await expect(courier.send!(lent)).rejects.toThrow('refused');
    const signal = new AbortController().signal;
    const together = new SharedTransactions(member).courier(producer, 3);
    const shipped = together.ship({ records: lent, offsets }, signal, () => undefined);
    await expect(shipped).rejects.toThrow('refused');
    expect(back).toBe(0);
  });
});

describe('a producer that tasks share', () => {
  const recordOf = (value: string): OutRecord => ({ ...records[0]!, value: bytes(value) });
  const shared = (send: (values: string[]) => Promise<void>) => {
    const opened: string[][][] = [];
    const producer = new SharedProducer(async () => {
      const sends: string[][] = [];
      opened.push(sends);
      const take = (all: readonly OutRecord[]): Promise<void> => {
        const values = all.map(({ value }) => text(value));
        sends.push(values);
        return send(values);
      };
      return { send: take, close: done };
    });
    const all = (...values: readonly string[]) =>
      Promise.allSettled(values.map(value => producer.send([recordOf(value)])));
    return { producer, opened, all };
  };

  test('sends together, in order, what is sent in one turn of the event loop', async () => {
    const { opened, all } = shared(done);
    await all('a', 'b');
    await all('c');
    expect(opened).toEqual([[['a', 'b'], ['c']]]);
  });

  test('sends no more together than its limit', async () => {
    const { producer, opened } = shared(done);
    const some = (of: string): OutRecord[] => Array.from({ length: 600 }, () => recordOf(of));
    await Promise.all([producer.send(some('a')), producer.send(some('b')), producer.send([recordOf('c')])]);
    expect(opened.flat().map(values => values.length)).toEqual([600, 601]);
  });

  test('after a failure takes another sender, and each sends alone', async () => {
    const { opened, all } = shared(values =>
      values.includes('bad') ? Promise.reject(new Error('refused')) : done(),
    );
    const states = async (...values: readonly string[]) => (await all(...values)).map(({ status }) => status);
    expect(await states('a', 'bad')).toEqual(['rejected', 'rejected']);
    expect(await states('a', 'bad', 'b')).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(opened).toEqual([[['a', 'bad']], [['a'], ['bad'], ['b']]]);
  });
});
