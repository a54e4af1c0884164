import { describe, expect, test } from '@jest/globals';
import { BrokerError, FencedError, type GroupMember } from '../../../src/broker/port.ts';
import {
  assignedTo,
  type BrokerHarness,
  eventually,
  joinAs,
  type Member,
  out,
  pause,
  unique,
  valuesOf,
} from '../harness.ts';
import { setUp } from './setup.ts';

export const describeGroups = (makeHarness: () => Promise<BrokerHarness>): void => {
  describe('a member of a group', () => {
    const s = setUp(makeHarness);
    const join = async (topic: string, group = unique('group')): Promise<Member> => {
      const member = await joinAs(s.another(), { group, topics: [topic] });
      await assignedTo(member);
      return member;
    };

    test('does not come to be where a topic does not exist', async () => {
      const topics = [await s.topic(1), unique('absent')];
      const joining = joinAs(s.broker, { group: unique('group'), topics });
      await expect(joining).rejects.toThrow(BrokerError);
    });

    test('starts at the beginning, reads everything in order, and hears that it has caught up', async () => {
      const topic = await s.topic(2);
      const producer = await s.broker.producer();
      await producer.send(['a', 'b', 'c'].map(value => out(topic, 0, 'k', value)));
      const member = await join(topic);
      expect(member.assignments[0]!.positions.toSorted((a, b) => a.partition - b.partition)).toEqual([
        { topic, partition: 0, offset: 0 },
        { topic, partition: 1, offset: 0 },
      ]);
      await eventually('three records', () => member.seen.length === 3);
      await producer.send([out(topic, 0, 'k', 'd')]);
      await eventually('the fourth', () => member.seen.length === 4);
      expect(valuesOf(member.seen, 0)).toEqual(['a', 'b', 'c', 'd']);
      expect(member.seen.map(({ offset }) => offset)).toEqual([0, 1, 2, 3]);
      const heard = (partition: number, offset: number): boolean =>
        member.caughtUp.some(at => at.partition === partition && at.offset === offset);
      await eventually('to be caught up', () => heard(0, 4) && heard(1, 0));
      expect(member.failures).toEqual([]);
    });

    test('hears again and again that there is nothing more', async () => {
      const topic = await s.topic(1);
      const member = await join(topic);
      await eventually('three empty fetches', () => member.caughtUp.length >= 3);
      expect(new Set(member.caughtUp.map(({ offset }) => offset))).toEqual(new Set([0]));
    });

    test('reads committed records only, and has caught up where an open transaction begins', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.transactionalProducer(unique('tx'));
      await producer.send([out(topic, 0, 'k', 'a')]);
      await producer.commit();
      await producer.send([out(topic, 0, 'k', 'open')]);
      const member = await join(topic);
      await eventually('to be caught up', () => member.caughtUp.some(({ offset }) => offset === 2));
      expect(valuesOf(member.seen)).toEqual(['a']);
      await producer.commit();
      await eventually('the second', () => member.seen.length === 2);
      await eventually('to be caught up again', () => member.caughtUp.some(({ offset }) => offset === 4));
    });

    test('goes on where its group has committed', async () => {
      const topic = await s.topic(1);
      const group = unique('group');
      const producer = await s.broker.producer();
      await producer.send(['a', 'b', 'c'].map(value => out(topic, 0, 'k', value)));
      const first = await join(topic, group);
      await eventually('three records', () => first.seen.length === 3);
      await first.commit([{ topic, partition: 0, offset: 2 }]);
      await first.leave();
      const second = await join(topic, group);
      expect(second.assignments[0]!.positions).toEqual([{ topic, partition: 0, offset: 2 }]);
      await eventually('the third', () => second.seen.length > 0);
      expect(valuesOf(second.seen)).toEqual(['c']);
    });

    test('gets nothing before its preparations are done', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send([out(topic, 0, 'k', 'a')]);
      const prepared = Promise.withResolvers<void>();
      const options = { group: unique('group'), topics: [topic] };
      const member = await joinAs(s.another(), options, { assigned: () => prepared.promise });
      await assignedTo(member);
      await pause(300);
      expect([member.seen, member.caughtUp]).toEqual([[], []]);
      prepared.resolve();
      await eventually('the record', () => member.seen.length === 1);
    });

    test('fails when its preparations do', async () => {
      const topic = await s.topic(1);
      const options = { group: unique('group'), topics: [topic] };
      const assigned = () => Promise.reject(new Error('no state'));
      const member = await joinAs(s.another(), options, { assigned });
      await eventually('the failure', () => member.failures.length === 1);
      expect(member.failures[0]!.message).toMatch(/no state/u);
      await expect(member.heartbeat()).rejects.toThrow(FencedError);
    });

    test('pauses and resumes single partitions', async () => {
      const topic = await s.topic(2);
      const member = await join(topic);
      const producer = await s.broker.producer();
      await eventually('to be caught up', () => member.caughtUp.length >= 2);
      member.pause([{ topic, partition: 0 }]);
      await pause(200); // A fetch that was under way may still arrive.
      await producer.send([out(topic, 0, 'k', 'held'), out(topic, 1, 'k', 'flows')]);
      await eventually('the other partition', () => valuesOf(member.seen, 1).length === 1);
      await pause(300);
      expect(valuesOf(member.seen, 0)).toEqual([]);
      member.resume([{ topic, partition: 0 }]);
      await eventually('the held record', () => valuesOf(member.seen, 0).length === 1);
      member.pause([0, 1].map(partition => ({ topic, partition })));
      await pause(200);
      await producer.send([out(topic, 0, 'k', 'x'), out(topic, 1, 'k', 'y')]);
      await pause(200);
      expect(member.seen).toHaveLength(2);
      member.resume([0, 1].map(partition => ({ topic, partition })));
      await eventually('both', () => member.seen.length === 4);
    });

    test('seeks back and forth', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send('abcdef'.split('').map(value => out(topic, 0, 'k', value)));
      const member = await join(topic);
      await eventually('six records', () => member.seen.length === 6);
      member.seek({ topic, partition: 0, offset: 4 });
      await eventually('two again', () => member.seen.length === 8);
      member.pause([{ topic, partition: 0 }]);
      await pause(200);
      await producer.send(['g', 'h'].map(value => out(topic, 0, 'k', value)));
      member.seek({ topic, partition: 0, offset: 7 });
      member.resume([{ topic, partition: 0 }]);
      await eventually('the last', () => member.seen.length === 9);
      expect(valuesOf(member.seen).join('')).toBe('abcdefefh');
    });

    test('may move its position while it prepares', async () => {
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send(['a', 'b', 'c'].map(value => out(topic, 0, 'k', value)));
      let member: Member | undefined;
      const assigned = async (): Promise<void> => {
        await eventually('the membership', () => member !== undefined);
        member!.seek({ topic, partition: 0, offset: 2 });
      };
      member = await joinAs(s.another(), { group: unique('group'), topics: [topic] }, { assigned });
      await eventually('a record', () => member!.seen.length > 0);
      expect(valuesOf(member.seen)).toEqual(['c']);
    });

    test('fails loudly where the records at its position are gone', async () => {
      const topic = await s.topic(1);
      const group = unique('group');
      const producer = await s.broker.producer();
      await producer.send(['a', 'b', 'c'].map(value => out(topic, 0, 'k', value)));
      await s.broker.admin.resetOffsets(group, [{ topic, partition: 0, offset: 1 }]);
      await s.harness.dropBefore({ topic, partition: 0, offset: 2 });
      const member = await join(topic, group);
      await eventually('the failure', () => member.failures.length === 1);
      expect(member.failures[0]!.message).toMatch(/out of range/u);
      expect(member.seen).toEqual([]);
    });

    test('proves that it is one, until it leaves', async () => {
      const topic = await s.topic(1);
      const group = unique('group');
      const member = await join(topic, group);
      await member.heartbeat();
      await member.leave();
      await member.leave();
      await expect(member.heartbeat()).rejects.toThrow(FencedError);
      await expect(member.commit([{ topic, partition: 0, offset: 0 }])).rejects.toThrow(FencedError);
      await eventually('to be gone', async () => (await s.broker.admin.groupMembers(group)) === 0);
    });

    test('has its offsets in a transaction only as long as it is one', async () => {
      const topic = await s.topic(1);
      const group = unique('group');
      const member = await join(topic, group);
      const producer = await s.broker.transactionalProducer(unique('tx'));
      const commit = async (offset: number, of: GroupMember): Promise<void> => {
        await producer.sendOffsets(of, [{ topic, partition: 0, offset }]);
        await producer.commit();
      };
      const before = member.member();
      await commit(3, before);
      await eventually(
        'its offset',
        async () => (await s.broker.admin.committed(group, [topic]))[0]?.offset === 3,
      );
      const another = await join(topic, group);
      await eventually('the next generation', () => member.assignments.length === 2);
      await expect(commit(4, before)).rejects.toThrow(FencedError);
      await Promise.all([member.leave(), another.leave()]);
      expect(await s.broker.admin.committed(group, [topic])).toEqual([{ topic, partition: 0, offset: 3 }]);
    });

    test('keeps its membership through preparations and a pause that are longer than its session', async () => {
      const topic = await s.topic(1);
      const sessionTimeoutMs = 1_000;
      const longer = 2.5 * sessionTimeoutMs;
      const options = { group: unique('group'), topics: [topic], sessionTimeoutMs };
      const member = await joinAs(s.another(), options, { assigned: () => pause(longer) });
      await eventually('to be caught up', () => member.caughtUp.length > 0);
      member.pause([{ topic, partition: 0 }]);
      await pause(longer);
      await member.heartbeat();
      await member.commit([{ topic, partition: 0, offset: 0 }]);
      expect(member.assignments).toHaveLength(1);
    });

    test('leaves when its client is closed', async () => {
      const topic = await s.topic(1);
      const group = unique('group');
      const client = s.another();
      await assignedTo(await joinAs(client, { group, topics: [topic] }));
      await client.close();
      await eventually('to be gone', async () => (await s.broker.admin.groupMembers(group)) === 0);
    });
  });
};
