import { describe, expect, test } from '@jest/globals';
import { FencedError } from '../../../src/broker/port.ts';
import { type BrokerHarness, eventually, out, readAll, readCommitted, unique, valuesOf } from '../harness.ts';
import { setUp } from './setup.ts';

export const describeTransactions = (makeHarness: () => Promise<BrokerHarness>): void => {
  describe('transactions', () => {
    const s = setUp(makeHarness);

    test('show nothing before the commit, and everything after it', async () => {
      const topic = await s.topic(2);
      const producer = await s.broker.transactionalProducer(unique('tx'));
      await producer.send([out(topic, 0, 'k', 'a')]);
      await producer.send([out(topic, 1, 'k', 'b'), out(topic, 0, 'k', 'c')]);
      expect(await readAll(s.broker, topic)).toEqual([]);
      await producer.commit();
      const seen = await readCommitted(s.broker, topic, 3);
      expect([valuesOf(seen, 0), valuesOf(seen, 1)]).toEqual([['a', 'c'], ['b']]);
    });

    test('hold back readers of records that came behind them', async () => {
      const topic = await s.topic(1);
      const open = await s.broker.transactionalProducer(unique('tx'));
      await open.send([out(topic, 0, 'k', 'open')]);
      const plain = await s.broker.producer();
      await plain.send([out(topic, 0, 'k', 'behind')]);
      expect(await s.broker.admin.endOffsets(topic)).toEqual([{ topic, partition: 0, offset: 0 }]);
      expect(await s.broker.admin.endOffsets(topic, 'written')).toEqual([{ topic, partition: 0, offset: 2 }]);
      await open.abort();
      expect(valuesOf(await readCommitted(s.broker, topic, 1))).toEqual(['behind']);
    });

    test('drop what was aborted, also where transactions interleave in a partition', async () => {
      const topic = await s.topic(1);
      const [a, b, c] = await Promise.all(
        ['a', 'b', 'c'].map(() => s.broker.transactionalProducer(unique('tx'))),
      );
      for (const round of [1, 2, 3]) {
        await a!.send([out(topic, 0, 'k', `a${round}`)]);
        await b!.send([out(topic, 0, 'k', `b${round}`)]);
        await c!.send([out(topic, 0, 'k', `c${round}`)]);
      }
      // The list of aborts is ordered by their ends, not by their beginnings.
      await c!.abort();
      await a!.abort();
      await b!.commit();
      expect(valuesOf(await readCommitted(s.broker, topic, 3))).toEqual(['b1', 'b2', 'b3']);
    });

    test('commit offsets with the records, or neither', async () => {
      const topic = await s.topic(2);
      const group = unique('group');
      const { admin } = s.broker;
      const producer = await s.broker.transactionalProducer(unique('tx'));
      await producer.send([out(topic, 0, 'k', 'a')]);
      await producer.sendOffsets(group, [{ topic, partition: 1, offset: 5 }]);
      expect(await admin.committed(group, [topic])).toEqual([]);
      await producer.commit();
      // Kafka answers a commit before its markers are written everywhere.
      const offset = async () => (await admin.committed(group, [topic]))[0]?.offset;
      await eventually('the offset', async () => (await offset()) === 5);
      await Promise.all([
        producer.send([out(topic, 0, 'k', 'beside')]),
        producer.sendOffsets(group, [{ topic, partition: 1, offset: 7 }]),
      ]);
      await producer.commit();
      await eventually('the offset that went beside', async () => (await offset()) === 7);
      await producer.send([out(topic, 0, 'k', 'b')]);
      await producer.sendOffsets(group, [{ topic, partition: 1, offset: 9 }]);
      await producer.abort();
      expect(await admin.committed(group, [topic])).toEqual([{ topic, partition: 1, offset: 7 }]);
      expect(valuesOf(await readCommitted(s.broker, topic, 2))).toEqual(['a', 'beside']);
    });

    test('hold the offsets of their task back until they have ended', async () => {
      const topic = await s.topic(2);
      const group = unique('group');
      const { admin } = s.broker;
      const [a, b] = [
        await s.broker.transactionalProducer(unique('tx')),
        await s.broker.transactionalProducer(unique('tx')),
      ];
      await a.sendOffsets(group, [{ topic, partition: 0, offset: 3 }]);
      await a.commit();
      await eventually('the offset', async () => (await admin.committed(group, [topic])).length === 1);
      await a.sendOffsets(group, [{ topic, partition: 0, offset: 9 }]);
      await b.sendOffsets(group, [{ topic, partition: 1, offset: 4 }]);
      await b.commit();
      const other = async () => (await admin.committed(group, [topic], 1).catch(() => []))[0]?.offset;
      await eventually('those of another task', async () => (await other()) === 4);
      expect(await admin.committed(group, [topic])).toContainEqual({ topic, partition: 0, offset: 3 });
      // Kafka is asked again for a while, the one in memory refuses at once: neither says 3.
      let answered: unknown;
      const asked = admin.committed(group, [topic], 0).then(
        offsets => (answered = offsets),
        (error: unknown) => error,
      );
      await new Promise(resolve => setTimeout(resolve, 300));
      expect(answered).toBeUndefined();
      await a.commit();
      const said = await asked;
      if (said instanceof Error)
        expect(said).toMatchObject({
          retriable: true,
          message: expect.stringContaining('UNSTABLE_OFFSET_COMMIT'),
        });
      else expect(said).toEqual([{ topic, partition: 0, offset: 9 }]);
    });

    test('may carry offsets only, or nothing at all', async () => {
      const topic = await s.topic(1);
      const group = unique('group');
      const producer = await s.broker.transactionalProducer(unique('tx'));
      await producer.commit();
      await producer.sendOffsets(group, [{ topic, partition: 0, offset: 3 }]);
      await producer.commit();
      await producer.abort();
      const offset = async () => (await s.broker.admin.committed(group, [topic]))[0]?.offset;
      await eventually('the offset', async () => (await offset()) === 3);
    });

    test('a new holder fences the old one and ends its open transaction', async () => {
      const topic = await s.topic(1);
      const id = unique('tx');
      const group = unique('group');
      const zombie = await s.broker.transactionalProducer(id);
      await zombie.send([out(topic, 0, 'k', 'zombie')]);
      await zombie.sendOffsets(group, [{ topic, partition: 0, offset: 1 }]);
      const owner = await s.another().transactionalProducer(id);
      expect(await s.broker.admin.committed(group, [topic])).toEqual([]);
      await owner.send([out(topic, 0, 'k', 'owner')]);
      await expect(zombie.commit()).rejects.toThrow(FencedError);
      await owner.commit();
      expect(valuesOf(await readCommitted(s.broker, topic, 1))).toEqual(['owner']);
      expect(await s.broker.admin.committed(group, [topic])).toEqual([]);
    });

    test.each(['send', 'sendOffsets'] as const)('%s of a fenced holder fails, and kills it', async call => {
      const topic = await s.topic(1);
      const id = unique('tx');
      const zombie = await s.broker.transactionalProducer(id);
      await zombie.send([out(topic, 0, 'k', 'first')]);
      await zombie.commit();
      await s.another().transactionalProducer(id);
      const late =
        call === 'send'
          ? zombie.send([out(topic, 0, 'k', 'late')])
          : zombie.sendOffsets(unique('group'), [{ topic, partition: 0, offset: 1 }]);
      await expect(late).rejects.toThrow(FencedError);
      await expect(zombie.send([out(topic, 0, 'k', 'later')])).rejects.toThrow(/dead/u);
      await zombie.close();
      expect(valuesOf(await readCommitted(s.broker, topic, 1))).toEqual(['first']);
    });

    test('hundreds of short ones follow each other', async () => {
      const topic = await s.topic(2);
      const group = unique('group');
      const producer = await s.broker.transactionalProducer(unique('tx'));
      for (let i = 0; i < 200; i++) {
        await producer.send([out(topic, i % 2, 'k', `${i}`)]);
        await producer.sendOffsets(group, [{ topic, partition: 0, offset: i }]);
        await producer.commit();
      }
      const seen = await readCommitted(s.broker, topic, 200);
      expect(valuesOf(seen, 0)).toHaveLength(100);
      expect(valuesOf(seen, 1)).toHaveLength(100);
      const offset = async () => (await s.broker.admin.committed(group, [topic]))[0]?.offset;
      await eventually('the last offset', async () => (await offset()) === 199);
    });

    test('a large one is split into batches and stays one', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.transactionalProducer(unique('tx'));
      await producer.send(
        Array.from({ length: 5_000 }, (_, i) => out(topic, 0, `k${i}`, `${i}`.padEnd(200, '.'))),
      );
      expect(await readAll(s.broker, topic)).toEqual([]);
      await producer.commit();
      const seen = valuesOf(await readCommitted(s.broker, topic, 5_000));
      expect(seen.map(value => Number.parseInt(value!, 10))).toEqual(
        Array.from({ length: 5_000 }, (_, i) => i),
      );
    });
  });
};
