import { describe, expect, test } from '@jest/globals';
import { BrokerError } from '../../../src/broker/port.ts';
import { assignedTo, type BrokerHarness, eventually, joinAs, out, pause, unique } from '../harness.ts';
import { setUp } from './setup.ts';

export const describeAdmin = (makeHarness: () => Promise<BrokerHarness>): void => {
  describe('admin', () => {
    const s = setUp(makeHarness);

    test('creates topics that do not exist, and describes them', async () => {
      const { admin } = s.broker;
      const [a, b] = [unique('made'), unique('made')];
      const config = { 'cleanup.policy': 'compact' };
      expect(await admin.createTopics([{ name: a, partitions: 3, config }])).toEqual([a]);
      expect(
        await admin.createTopics([
          { name: a, partitions: 3 },
          { name: b, partitions: 1 },
        ]),
      ).toEqual([b]);
      const described = await admin.describeTopics([a, b, unique('absent')]);
      expect(described.map(({ name }) => name).sort()).toEqual([a, b].sort());
      const first = described.find(({ name }) => name === a)!;
      expect(first.partitions).toBe(3);
      expect(first.config['cleanup.policy']).toBe('compact');
      const all = await admin.describeTopics();
      expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining([a, b]));
      expect(all.some(({ name }) => name.startsWith('__'))).toBe(false);
    });

    test('alters the settings that are named and keeps the others', async () => {
      const { admin } = s.broker;
      const topic = await s.topic(1, { 'retention.ms': '60000' });
      await admin.alterTopic(topic, { 'cleanup.policy': 'compact' });
      const config = async () => (await admin.describeTopics([topic]))[0]?.config ?? {};
      await eventually('the altered setting', async () => (await config())['cleanup.policy'] === 'compact');
      expect((await config())['retention.ms']).toBe('60000');
    });

    test('a topic that is made again has another id', async () => {
      const { admin } = s.broker;
      const topic = await s.topic(1);
      const id = async () => (await admin.describeTopics([topic]))[0]?.id;
      const before = await id();
      expect(before).toBeDefined();
      expect(await id()).toBe(before);
      await admin.deleteTopics([topic]);
      await eventually('the topic to go', async () => (await admin.describeTopics([topic])).length === 0);
      await eventually('the topic to be made', async () => {
        return (await admin.createTopics([{ name: topic, partitions: 1 }])).length === 1;
      });
      expect(await id()).not.toBe(before);
    });

    test('has one cluster id for all clients', async () => {
      const id = await s.broker.admin.clusterId();
      expect(id).not.toBe('');
      expect(await s.another().admin.clusterId()).toBe(id);
    });

    test('gives the first and the end offset of every partition', async () => {
      const { admin } = s.broker;
      const topic = await s.topic(2);
      const producer = await s.broker.producer();
      await producer.send([out(topic, 1, 'k', 'a'), out(topic, 1, 'k', 'b')]);
      const sorted = (await admin.endOffsets(topic)).toSorted((a, b) => a.partition - b.partition);
      expect(sorted.map(({ offset }) => offset)).toEqual([0, 2]);
      await s.harness.dropBefore({ topic, partition: 1, offset: 1 });
      const first = (await admin.beginningOffsets(topic)).find(({ partition }) => partition === 1);
      expect(first).toEqual({ topic, partition: 1, offset: 1 });
    });

    test('finds offsets by append time', async () => {
      const { admin } = s.broker;
      const topic = await s.topic(1);
      const producer = await s.broker.producer();
      await producer.send([out(topic, 0, 'k', 'early')]);
      await pause(30);
      await producer.send([out(topic, 0, 'k', 'late')]);
      const times: number[] = [];
      const until = await admin.endOffsets(topic);
      for await (const run of s.broker.read({ from: { topic, at: 'beginning' }, until }))
        for (let i = 0; i < run.length; i++) times.push(run.appendTimeMs(i));
      expect(times).toHaveLength(2);
      expect(Math.abs(times[1]! - Date.now())).toBeLessThan(60_000);
      expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(25);
      const at = async (ms: number) => (await admin.offsetsAtTime(topic, ms))[0]?.offset;
      expect(await at(times[0]!)).toBe(0);
      expect(await at(times[0]! + 1)).toBe(1);
      expect(await at(times[1]! + 1)).toBe(2);
    });

    test("resets a group's offsets, but not while it has members", async () => {
      const { admin } = s.broker;
      const topic = await s.topic(2);
      const group = unique('group');
      const producer = await s.broker.producer();
      await producer.send('abcdefgh'.split('').map(value => out(topic, 1, 'k', value)));
      expect(await admin.committed(group, [topic])).toEqual([]);
      const to = [{ topic, partition: 1, offset: 7 }];
      await admin.resetOffsets(group, to);
      expect(await admin.committed(group, [topic])).toEqual(to);
      const member = await joinAs(s.another(), { group, topics: [topic] }, {});
      await assignedTo(member);
      expect(await admin.groupMembers(group)).toBe(1);
      await expect(admin.resetOffsets(group, [{ topic, partition: 1, offset: 0 }])).rejects.toThrow(
        BrokerError,
      );
      await member.leave();
      await eventually('the member to go', async () => (await admin.groupMembers(group)) === 0);
      await admin.resetOffsets(group, [{ topic, partition: 1, offset: 3 }]);
      expect(await admin.committed(group, [topic])).toEqual([{ topic, partition: 1, offset: 3 }]);
    });
  });
};
