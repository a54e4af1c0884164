import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { SharedRecord } from '../../src/broker/shared.ts';
import { ChangeMemory, Changes } from '../../src/state/changes.ts';
import { bytes, text } from '../processor/rig.ts';

const changelog = { topic: 'log', partition: 2 };

test('commits one after the other are what was put and deleted, while memory and records go round', () => {
  const key = fc.constantFrom('a', 'b\0one', 'b\0two', 'ü\0', 'x'.repeat(300));
  const change = fc.record({ key, value: fc.option(fc.string({ maxLength: 40_000 }), { nil: null }) });
  const commits = fc.array(fc.array(change, { maxLength: 12 }), { maxLength: 12 });
  fc.assert(
    fc.property(commits, of => {
      const memory = new ChangeMemory(changelog);
      let before: Changes | undefined;
      for (const commit of of) {
        const changes = new Changes(memory);
        const expected = new Map<string, string>();
        for (const { key: name, value } of commit) {
          if (value === null) changes.delete(name);
          else changes.put(name, bytes(value));
          expected.set(name, value ?? '∅');
        }
        // The commit before is settled while the next one fills.
        before?.letGo();
        before = changes;
        expect(
          changes
            .records()
            .map(record => [record.topic, record.partition, text(record.key), text(record.value)]),
        ).toEqual([...expected].map(([name, value]) => ['log', 2, name, value]));
        expect([...changes.entries()].map(([name, value]) => [name, text(value)])).toEqual([...expected]);
        for (const [name, value] of expected) {
          expect(text(changes.get(name))).toBe(value);
          expect([changes.has(name), changes.puts(name)]).toEqual([true, value !== '∅']);
        }
        expect([changes.size, changes.puts('other'), changes.get('other')]).toEqual([
          expected.size,
          undefined,
          undefined,
        ]);
      }
    }),
    { numRuns: 60 },
  );
});

test('what is settled is written over by later commits, and what is not settled is not', () => {
  const memory = new ChangeMemory(changelog);
  const value = Buffer.alloc(50_000, 'a');
  const commit = (): Changes => {
    const changes = new Changes(memory);
    for (let i = 0; i < 4; i++) changes.put(`key ${i}`, value);
    return changes;
  };
  const memoriesOf = (changes: Changes): readonly ArrayBufferLike[] =>
    changes.records().map(record => (record as SharedRecord).bytes.buffer);
  const kept = commit();
  const given = commit();
  const givenTo = memoriesOf(given);
  given.letGo();
  const later = Array.from({ length: 30 }, commit).flatMap(memoriesOf);
  expect(later.some(one => givenTo.includes(one))).toBe(true);
  expect(later.some(one => memoriesOf(kept).includes(one))).toBe(false);
  expect([...kept.entries()].every(([, of]) => value.equals(of!))).toBe(true);
});
