import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Change, Mark, StateStore } from '../../src/state/store.ts';
import { bytes, text } from '../processor/rig.ts';

export const markAt = (next: number): Mark => ({ topicId: 'topic', next, atMs: 1_000 });

const rows = (entries: Iterable<readonly [string, Uint8Array]>): Record<string, string> =>
  Object.fromEntries([...entries].map(([key, value]) => [key, text(value)]));

const LONG = 'x'.repeat(5_000);

/** Keys of several groups, some longer than LMDB takes, some that begin like others. */
const keys = fc.constantFrom(
  'a', 'b', 'g\0a', 'g\0b', 'g\0', 'g\0\0a', 'gg\0a', 'g\u{1f600}\0a', `${LONG}\0a`, `${LONG}\0b`, `g\0${LONG}`, LONG,
); // prettier-ignore
const changes = fc.array(
  fc.tuple(
    keys,
    fc.option(
      fc.string().map(value => bytes(value)),
      { nil: null },
    ),
  ),
);

/** What every store must do; run on both. */
export const storeContract = (name: string, open: () => Promise<StateStore>): void => {
  describe(`${name} keeps the contract of a store`, () => {
    const opened: StateStore[] = [];
    const store = async (): Promise<StateStore> => {
      const one = await open();
      opened.push(one);
      return one;
    };
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close();
    });

    test('is empty, and without a mark, at first', async () => {
      const one = await store();
      expect([one.size, one.mark, one.bytesSinceMark, one.get('a')]).toEqual([0, undefined, 0, undefined]);
      expect([...one.entries(), ...one.inGroup('g\0'), ...one.nextKeys('', 5)]).toEqual([]);
    });

    test('shows what was applied, at once and with a mark', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.tuple(changes, fc.boolean()), { maxLength: 12 }), async commits => {
          const one = await store();
          await one.clear();
          const expected = new Map<string, string>();
          for (const [i, [commit, isMarked]] of commits.entries()) {
            await one.apply(commit, isMarked ? markAt(i) : undefined);
            for (const [key, value] of commit)
              if (value === null) expected.delete(key);
              else expected.set(key, text(value));
            expect(rows(one.entries())).toEqual(Object.fromEntries(expected));
            expect(one.size).toBe(expected.size);
            for (const group of ['', 'g\0', 'gg\0', 'g\0\0', `${LONG}\0`])
              expect(rows(one.inGroup(group))).toEqual(
                Object.fromEntries(
                  [...expected].filter(([key]) => key.slice(0, key.lastIndexOf('\0') + 1) === group),
                ),
              );
            for (const key of ['a', 'g\0a', `${LONG}\0a`, LONG])
              expect(text(one.get(key))).toBe(expected.get(key) ?? '∅');
          }
          await one.close();
          opened.splice(opened.indexOf(one), 1);
        }),
        { numRuns: 40 },
      );
    });

    test('keeps copies: whoever applied a value writes over it', async () => {
      const one = await store();
      const values = [17, 400, 5_000].map(length => Buffer.alloc(length, 'a'));
      await one.apply(
        values.map((value, i): Change => [`g\0${i}`, value]),
        markAt(1),
      );
      await one.apply([['fresh', values[0]!]]);
      for (const value of values) value.fill('b');
      await one.apply([], markAt(2));
      expect([17, 400, 5_000].map((length, i) => text(one.get(`g\0${i}`)) === 'a'.repeat(length))).toEqual([
        true,
        true,
        true,
      ]);
      expect(text(one.get('fresh'))).toBe('a'.repeat(17));
      expect([one.has('fresh'), one.has('g\0'), one.has('g\x000')]).toEqual([true, false, true]);
    });

    test('counts what was applied since its mark', async () => {
      const one = await store();
      await one.apply([['key', bytes('value')]]);
      await one.apply([['key', bytes('value')]]);
      expect([one.bytesSinceMark, one.mark]).toEqual([16, undefined]);
      await one.apply([['key', null]], markAt(7));
      expect([one.bytesSinceMark, one.mark]).toEqual([0, markAt(7)]);
      await one.apply([['other', bytes('v')]]);
      expect([one.bytesSinceMark, one.mark]).toEqual([6, markAt(7)]);
    });

    test('a walk meets every key that stays, round after round', async () => {
      const one = await store();
      const all = Array.from({ length: 23 }, (_, i): Change => [`g${i}\0k`, bytes('v')]);
      await one.apply(all, markAt(1));
      await one.apply([[LONG, bytes('v')]], markAt(2));
      await one.apply([], markAt(3));
      for (let round = 0; round < 3; round++) {
        const met = new Set<string>();
        for (let step = 0; step < 7; step++) for (const key of one.nextKeys('', 4)) met.add(key);
        expect(met.size).toBe(24);
      }
      await one.apply([['g3\0k', null]], markAt(4));
      await one.apply([], markAt(5));
      const met = new Set<string>();
      for (let step = 0; step < 14; step++) for (const key of one.nextKeys('g', 4)) met.add(key);
      expect([met.size, met.has('g3\0k')]).toEqual([22, false]);
    });

    test('forgets everything', async () => {
      const one = await store();
      await one.apply([['a', bytes('1')]], markAt(1));
      await one.apply([['b', bytes('1')]]);
      await one.clear();
      expect([one.size, one.mark, one.bytesSinceMark, one.get('a'), [...one.entries()]]).toEqual([
        0,
        undefined,
        0,
        undefined,
        [],
      ]);
      await one.apply([['c', bytes('2')]], markAt(2));
      expect(rows(one.entries())).toEqual({ c: '2' });
    });
  });
};
