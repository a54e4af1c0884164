import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { assignCoPartitioned, type Candidate } from '../../src/broker/assign.ts';

const member = (memberId: string): Candidate => ({ memberId, generation: -1, owned: [] });
const again = (
  assigned: ReturnType<typeof assignCoPartitioned>,
  ids: readonly string[],
  generation: number,
): Candidate[] => ids.map(memberId => ({ memberId, generation, owned: assigned.get(memberId) ?? [] }));

const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 6 });
const counts = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
  .map(all => new Map(all.map((count, i) => [`topic-${i}`, count] as const)));

test('every partition has one owner, co-partitioned, balanced to one per class', () => {
  fc.assert(
    fc.property(ids, counts, (members, topics) => {
      const assigned = assignCoPartitioned(members.map(member), topics);
      const owners = new Map<string, string>();
      for (const [id, partitions] of assigned)
        for (const { topic, partition } of partitions) {
          expect(owners.has(`${topic}/${partition}`)).toBe(false);
          owners.set(`${topic}/${partition}`, id);
        }
      expect(owners.size).toBe([...topics.values()].reduce((sum, count) => sum + count, 0));
      const ownersOf = (topic: string, count: number): (string | undefined)[] =>
        Array.from({ length: count }, (_, p) => owners.get(`${topic}/${p}`));
      for (const [topic, count] of topics) {
        for (const [other, same] of topics)
          if (same === count) expect(ownersOf(other, count)).toEqual(ownersOf(topic, count));
        const loads = members.map(id => assigned.get(id)!.filter(at => at.topic === topic).length);
        expect(Math.max(...loads) - Math.min(...loads)).toBeLessThanOrEqual(1);
      }
    }),
  );
});

test('whoever stays loses no more than its share shrinks by', () => {
  fc.assert(
    fc.property(ids, fc.integer({ min: 1, max: 30 }), fc.boolean(), (members, count, joins) => {
      const topics = new Map([['t', count]]);
      const before = assignCoPartitioned(members.map(member), topics);
      const next = joins ? [...members, 'a new one'] : members.slice(1);
      const after = assignCoPartitioned(again(before, next, 1), topics);
      for (const id of next.filter(one => members.includes(one))) {
        const had = before.get(id)!.map(({ partition }) => partition);
        const has = after.get(id)!.map(({ partition }) => partition);
        const kept = had.filter(partition => has.includes(partition));
        expect(kept).toHaveLength(Math.min(had.length, has.length));
      }
    }),
  );
});

test('does not depend on the order of members or topics, and stays once it is balanced', () => {
  fc.assert(
    fc.property(ids, counts, (members, topics) => {
      const assigned = assignCoPartitioned(members.map(member), topics);
      const turned = new Map([...topics].toReversed());
      expect(assignCoPartitioned(members.toReversed().map(member), turned)).toEqual(assigned);
      expect(assignCoPartitioned(again(assigned, members, 1), topics)).toEqual(assigned);
    }),
  );
});

test('of two that claim a partition, the one of the newer generation owned it', () => {
  const owned = [{ topic: 't', partition: 0 }];
  const zombie = { memberId: 'a', generation: 3, owned };
  const owner = { memberId: 'b', generation: 4, owned };
  expect(assignCoPartitioned([zombie, owner], new Map([['t', 1]])).get('b')).toEqual(owned);
});

test('nobody owns anything where there is nobody', () => {
  expect(assignCoPartitioned([], new Map([['t', 3]])).size).toBe(0);
});
