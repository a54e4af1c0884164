import { describe, expect, test } from '@jest/globals';
import { BrokerError } from '../../../src/broker/port.ts';
import { type BrokerHarness, bytes, out, readAll, valuesOf } from '../harness.ts';
import { setUp } from './setup.ts';

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

export const describeProduce = (makeHarness: () => Promise<BrokerHarness>): void => {
  describe('produce', () => {
    const s = setUp(makeHarness);

    test('keeps the order within each partition, also of sends that overlap', async () => {
      const topic = await s.topic(3);
      const producer = await s.broker.producer();
      const sends = range(60).map(i => producer.send([out(topic, i % 3, `k${i}`, `${i}`)]));
      await Promise.all(sends);
      const seen = await readAll(s.broker, topic);
      for (const partition of range(3)) {
        const expected = range(60).filter(i => i % 3 === partition);
        expect(valuesOf(seen, partition)).toEqual(expected.map(String));
      }
      await producer.close();
    });

    test('carries keys, null keys, empty values, null values and headers as they are', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      const headers = [
        ['trace', bytes('1')],
        ['7', bytes('number-like')],
        ['trace', bytes('2')],
        ['empty', bytes('')],
        ['constructor', bytes('c')],
        ['__proto__', bytes('p')],
      ] as const;
      await producer.send([
        { topic, partition: 0, key: null, value: bytes('no key') },
        { topic, partition: 0, key: bytes('gone'), value: null },
        { topic, partition: 0, key: bytes('é'), value: bytes('') },
        { topic, partition: 0, key: bytes('h'), value: bytes('v'), headers },
      ]);
      const seen = await readAll(s.broker, topic);
      expect(seen.map(({ key, value }) => [key, value])).toEqual([
        [null, 'no key'],
        ['gone', null],
        ['é', ''],
        ['h', 'v'],
      ]);
      expect(seen[3]!.headers).toEqual(headers.map(([name, value]) => [name, Buffer.from(value).toString()]));
      for await (const run of s.broker.read({
        from: [{ topic, partition: 0, offset: 3 }],
        until: [{ topic, partition: 0, offset: 4 }],
      })) {
        expect(Buffer.from(run.header(0, 'trace')!).toString()).toBe('1');
        expect(run.header(0, 'empty')).toHaveLength(0);
        expect(run.header(0, 'absent')).toBeUndefined();
      }
    });

    test('does not keep the bytes of the sender', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      const plain = new Uint8Array(bytes('before'));
      const buffer = Buffer.from('and as a Buffer');
      const records = [plain, buffer].map(value => ({ topic, partition: 0, key: null, value }));
      await producer.send(records);
      for (const one of [plain, buffer]) one.fill(0);
      expect(valuesOf(await readAll(s.broker, topic))).toEqual(['before', 'and as a Buffer']);
    });

    test('splits what is too large for one batch, in order', async () => {
      const topic = await s.topic(2);
      const producer = await s.broker.producer();
      const small = range(5_000).map(i => out(topic, 0, `k${i}`, `${i}`.padEnd(200, '.')));
      const large = range(30).map(i => out(topic, 1, `k${i}`, `${i}`.padEnd(100_000, '.')));
      await producer.send([...small, ...large]);
      const seen = await readAll(s.broker, topic);
      expect(valuesOf(seen, 0).map(value => Number.parseInt(value!, 10))).toEqual(range(5_000));
      expect(valuesOf(seen, 1).map(value => Number.parseInt(value!, 10))).toEqual(range(30));
      expect(new Set(valuesOf(seen, 1).map(value => value!.length))).toEqual(new Set([100_000]));
    });

    test('refuses a record larger than the topic takes, and works on', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      const error = await producer.send([out(topic, 0, 'k', 'x'.repeat(1_200_000))]).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(BrokerError);
      expect((error as BrokerError).retriable).toBe(false);
      await producer.send([out(topic, 0, 'k', 'fits')]);
      expect(valuesOf(await readAll(s.broker, topic))).toEqual(['fits']);
    });

    test('sends nothing for no records, and nothing once closed', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send([]);
      await producer.close();
      await expect(producer.send([out(topic, 0, 'k', 'v')])).rejects.toThrow(BrokerError);
      expect(await readAll(s.broker, topic)).toEqual([]);
    });
  });
};
