import { describe, expect, test } from '@jest/globals';
import {
  type BrokerHarness,
  eventually,
  out,
  readAll,
  recordsOf,
  type Seen,
  unique,
  valuesOf,
} from '../harness.ts';
import { setUp } from './setup.ts';

export const describeRead = (makeHarness: () => Promise<BrokerHarness>): void => {
  describe('read', () => {
    const s = setUp(makeHarness);

    test('ends at once where there is nothing to read', async () => {
      expect(await readAll(s.broker, await s.topic(3))).toEqual([]);
    });

    test('reads exactly a slice, of some partitions', async () => {
      const topic = await s.topic(3);
      const producer = await s.broker.producer();
      for (const partition of [0, 1, 2])
        await producer.send('abcdef'.split('').map(value => out(topic, partition, 'k', value)));
      const seen: Seen[] = [];
      const from = [1, 2].map(partition => ({ topic, partition, offset: 2 }));
      const until = [
        { topic, partition: 1, offset: 4 },
        { topic, partition: 2, offset: 5 },
      ];
      for await (const run of s.broker.read({ from, until })) seen.push(...recordsOf(run));
      expect(valuesOf(seen, 0)).toEqual([]);
      expect(valuesOf(seen, 1)).toEqual(['c', 'd']);
      expect(valuesOf(seen, 2)).toEqual(['c', 'd', 'e']);
    });

    test('ends past trailing control records and aborted records', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.transactionalProducer(unique('tx'));
      await producer.send([out(topic, 0, 'k', 'kept')]);
      await producer.commit();
      await producer.send([out(topic, 0, 'k', 'dropped')]);
      await producer.abort();
      const until = [{ topic, partition: 0, offset: 4 }];
      const end = async () => (await s.broker.admin.endOffsets(topic))[0]?.offset;
      await eventually('both markers', async () => (await end()) === 4);
      let next = 0;
      const seen: Seen[] = [];
      for await (const run of s.broker.read({ from: { topic, at: 'beginning' }, until })) {
        seen.push(...recordsOf(run));
        expect(run.nextOffset).toBeGreaterThan(next);
        next = run.nextOffset;
      }
      expect(valuesOf(seen)).toEqual(['kept']);
      expect(next).toBe(4);
      const ended: Seen[] = [];
      const tail = [{ topic, partition: 0, offset: 3 }];
      for await (const run of s.broker.read({ from: tail, until })) ended.push(...recordsOf(run));
      expect(ended).toEqual([]);
    });

    test('passes gaps that compaction left, at the tail too', async () => {
      const topic = await s.topic(1, s.harness.compactedConfig);
      const producer = await s.broker.transactionalProducer(unique('tx'));
      for (let i = 0; i < 20; i++) {
        await producer.send([out(topic, 0, `k${i % 2}`, `${i}`), out(topic, 0, 'last', `${i}`)]);
        await (i % 3 === 2 ? producer.abort() : producer.commit());
      }
      await s.harness.compact(topic);
      // A cluster may need further records before it compacts.
      const seen = (await readAll(s.broker, topic)).filter(({ key }) => key !== 'roll');
      expect(seen.length).toBeLessThan(26);
      const newest = new Map(seen.map(({ key, value }) => [key, value]));
      expect(newest).toEqual(
        new Map([
          ['k0', '18'],
          ['k1', '19'],
          ['last', '19'],
        ]),
      );
      const offsets = seen.map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    }, 120_000);

    test('follows the topic until it is told to stop', async () => {
      const topic = await s.topic(2);
      const producer = await s.broker.producer();
      await producer.send([out(topic, 0, 'k', 'there')]);
      const stop = new AbortController();
      const seen: Seen[] = [];
      const following = (async () => {
        const { signal } = stop;
        for await (const run of s.broker.read({ from: { topic, at: 'beginning' }, signal }))
          seen.push(...recordsOf(run));
      })();
      await eventually('what was there', () => seen.length === 1);
      await producer.send([out(topic, 1, 'k', 'later')]);
      await eventually('what came later', () => seen.length === 2);
      stop.abort();
      await following;
      expect(valuesOf(seen)).toEqual(['there', 'later']);
    });

    test('says where the end was', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send([out(topic, 0, 'k', 'a'), out(topic, 0, 'k', 'b')]);
      const until = [{ topic, partition: 0, offset: 1 }];
      for await (const run of s.broker.read({ from: { topic, at: 'beginning' }, until }))
        expect(run.highWatermark).toBe(2);
    });

    test('fails loudly where the records are gone', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send(['a', 'b', 'c'].map(value => out(topic, 0, 'k', value)));
      await s.harness.dropBefore({ topic, partition: 0, offset: 2 });
      const from = [{ topic, partition: 0, offset: 1 }];
      const reading = async (): Promise<void> => {
        for await (const run of s.broker.read({ from, until: [{ topic, partition: 0, offset: 3 }] }))
          expect(run.length).toBe(0);
      };
      await expect(reading()).rejects.toThrow(/out of range/u);
    });
  });
};
