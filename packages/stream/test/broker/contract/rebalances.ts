import { describe, expect, test } from '@jest/globals';
import { FencedError } from '../../../src/broker/port.ts';
import {
  assignedTo,
  type BrokerHarness,
  eventually,
  joinAs,
  type Member,
  out,
  settled,
  unique,
  valuesOf,
} from '../harness.ts';
import { setUp } from './setup.ts';

const partitionsOf = (member: Member, topic: string): number[] =>
  (member.assignments.at(-1)?.positions ?? [])
    .filter(at => at.topic === topic)
    .map(({ partition }) => partition)
    .sort((a, b) => a - b);

export const describeRebalances = (makeHarness: () => Promise<BrokerHarness>): void => {
  describe('a rebalance', () => {
    const s = setUp(makeHarness);

    test('splits the partitions, co-partitioned across topics, and begins a generation', async () => {
      const topics = [await s.topic(4), await s.topic(4), await s.topic(1)];
      const options = { group: unique('group'), topics };
      const first = await joinAs(s.another(), options);
      await settled([first], 9);
      const before = first.generation;
      const second = await joinAs(s.another(), options);
      await settled([first, second], 9);
      expect(first.generation).toBeGreaterThan(before);
      for (const member of [first, second]) {
        const owned = partitionsOf(member, topics[0]!);
        expect(owned).toHaveLength(2);
        expect(partitionsOf(member, topics[1]!)).toEqual(owned);
      }
    });

    test('is sticky: whoever stays keeps what it had', async () => {
      const topic = await s.topic(6);
      const options = { group: unique('group'), topics: [topic] };
      const a = await joinAs(s.another(), options);
      await settled([a], 6);
      const b = await joinAs(s.another(), options);
      await settled([a, b], 6);
      const [ownedA, ownedB] = [partitionsOf(a, topic), partitionsOf(b, topic)];
      const c = await joinAs(s.another(), options);
      await settled([a, b, c], 6);
      expect(ownedA).toEqual(expect.arrayContaining(partitionsOf(a, topic)));
      expect(ownedB).toEqual(expect.arrayContaining(partitionsOf(b, topic)));
      const [keptA, keptB] = [partitionsOf(a, topic), partitionsOf(b, topic)];
      expect([keptA.length, keptB.length]).toEqual([2, 2]);
      await c.leave();
      await settled([a, b], 6);
      expect(partitionsOf(a, topic)).toEqual(expect.arrayContaining(keptA));
      expect(partitionsOf(b, topic)).toEqual(expect.arrayContaining(keptB));
    });

    test('refuses commits for what was lost, and takes them from the new owner', async () => {
      const topic = await s.topic(2);
      const options = { group: unique('group'), topics: [topic] };
      const first = await joinAs(s.another(), options);
      await settled([first], 2);
      await first.commit([0, 1].map(partition => ({ topic, partition, offset: 0 })));
      const second = await joinAs(s.another(), options);
      await settled([first, second], 2);
      const [lost] = partitionsOf(second, topic);
      const at = { topic, partition: lost!, offset: 1 };
      await expect(first.commit([at])).rejects.toThrow(FencedError);
      await second.commit([at]);
      const committed = await s.broker.admin.committed(options.group, [topic]);
      expect(committed).toContainEqual(at);
    });

    test('hands over at once when a member leaves, and loses nothing', async () => {
      const topic = await s.topic(2);
      const options = { group: unique('group'), topics: [topic] };
      const producer = await s.broker.producer();
      const first = await joinAs(s.another(), options);
      const second = await joinAs(s.another(), options);
      await settled([first, second], 2);
      await producer.send([0, 1].map(partition => out(topic, partition, 'k', `${partition}`)));
      await eventually('both records', () => first.seen.length === 1 && second.seen.length === 1);
      const [owned] = partitionsOf(second, topic);
      await second.commit([{ topic, partition: owned!, offset: 1 }]);
      const leftAtMs = Date.now();
      await second.leave();
      await settled([first], 2);
      // Well below the session: nobody waited for it to end.
      expect(Date.now() - leftAtMs).toBeLessThan(5_000);
      const taken = first.assignments.at(-1)!.positions.find(({ partition }) => partition === owned);
      expect(taken?.offset).toBe(1);
      await producer.send([0, 1].map(partition => out(topic, partition, 'k', `again ${partition}`)));
      await eventually('both again', () => valuesOf(first.seen, owned).includes(`again ${owned}`));
    });

    test('starts kept partitions again at what was committed, and resumes them', async () => {
      const topic = await s.topic(2);
      const options = { group: unique('group'), topics: [topic] };
      const producer = await s.broker.producer();
      await producer.send([0, 1].flatMap(p => ['a', 'b', 'c'].map(value => out(topic, p, 'k', value))));
      const first = await joinAs(s.another(), options);
      await eventually('six records', () => first.seen.length === 6);
      await first.commit([0, 1].map(partition => ({ topic, partition, offset: 2 })));
      first.pause([0, 1].map(partition => ({ topic, partition })));
      const second = await joinAs(s.another(), options);
      await settled([first, second], 2);
      for (const member of [first, second])
        expect(member.assignments.at(-1)!.positions.map(({ offset }) => offset)).toEqual([2]);
      await eventually('the last record again', () => first.seen.length === 7 && second.seen.length === 1);
      expect(valuesOf(first.seen).at(-1)).toBe('c');
    });

    test('during preparations replaces them', async () => {
      const topic = await s.topic(2);
      const options = { group: unique('group'), topics: [topic] };
      const producer = await s.broker.producer();
      await producer.send([0, 1].map(partition => out(topic, partition, 'k', `${partition}`)));
      let first: Member | undefined;
      const never = new Promise<void>(() => undefined);
      const assigned = ({ positions }: { positions: readonly unknown[] }): Promise<void> =>
        positions.length === 2 ? never : Promise.resolve();
      first = await joinAs(s.another(), options, { assigned });
      await assignedTo(first);
      const second = await joinAs(s.another(), options);
      await settled([first, second], 2);
      await eventually('one record each', () => first!.seen.length === 1 && second.seen.length === 1);
    });

    test('leaves a member beyond the partitions with nothing to do', async () => {
      const topic = await s.topic(1);
      const options = { group: unique('group'), topics: [topic] };
      const members = [await joinAs(s.another(), options), await joinAs(s.another(), options)];
      await settled(members, 1);
      const idle = members.find(member => member.owned().length === 0)!;
      const busy = members.find(member => member !== idle)!;
      await idle.heartbeat();
      await busy.leave();
      await settled([idle], 1);
    });
  });
};
