import { expect, test } from '@jest/globals';
import type { OutRecord, TransactionalProducer } from '../../src/broker/port.ts';
import { acknowledgedCourier, SharedProducer, transactionCourier } from '../../src/processor/delivery.ts';
import type { Group } from '../../src/processor/setting.ts';
import { bytes } from './rig.ts';

const records: readonly OutRecord[] = [{ topic: 'out', partition: 0, key: bytes('k'), value: bytes('v') }];
const offsets = [{ topic: 'in', partition: 0, offset: 1 }];
const shipment = { records, offsets };
const done = (): Promise<void> => Promise.resolve();

const rig = (faults: Partial<TransactionalProducer> & { heartbeat?: () => Promise<void> } = {}) => {
  const calls: string[] = [];
  const producer: TransactionalProducer = {
    send: done,
    sendOffsets: done,
    commit: async () => void calls.push('commit'),
    abort: done,
    close: done,
    ...faults,
  };
  const member: Group = {
    pause: () => undefined,
    resume: () => undefined,
    seek: () => undefined,
    commit: async () => void calls.push('offsets'),
    heartbeat: faults.heartbeat ?? done,
  };
  return { calls, producer, member };
};

test('a task that is revoked while it proves its membership commits nothing', async () => {
  const revoked = new AbortController();
  const { calls, producer, member } = rig({ heartbeat: async () => revoked.abort(new Error('revoked')) });
  const courier = transactionCourier(producer, 'g', member);
  await expect(courier.ship(shipment, revoked.signal, () => undefined)).rejects.toThrow('revoked');
  expect(calls).toEqual([]);
});

test('a send that fails is told of when the offsets beside it are not under way any more', async () => {
  const offsetsSent = Promise.withResolvers<void>();
  let told = false;
  const { calls, producer, member } = rig({
    send: () => Promise.reject(new Error('refused')),
    sendOffsets: () => offsetsSent.promise,
  });
  const courier = transactionCourier(producer, 'g', member);
  const shipped = courier.ship(shipment, new AbortController().signal, () => undefined);
  const failed = shipped.catch((error: unknown) => {
    told = true;
    return (error as Error).message;
  });
  await new Promise(resolve => setImmediate(resolve));
  expect(told).toBe(false);
  offsetsSent.resolve();
  expect([await failed, calls]).toEqual(['refused', []]);
});

test('at least once, a task that is revoked while it sends commits no offsets', async () => {
  const revoked = new AbortController();
  const { calls, producer, member } = rig({ send: async () => revoked.abort(new Error('revoked')) });
  const courier = acknowledgedCourier(new SharedProducer(() => Promise.resolve(producer)), member);
  await expect(courier.ship(shipment, revoked.signal, () => undefined)).rejects.toThrow('revoked');
  expect(calls).toEqual([]);
});
