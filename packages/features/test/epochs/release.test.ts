import { expect, test } from '@jest/globals';
import { epochOf, partsOf } from '../../src/epochs/number.ts';
import { inReleaseOrder, Releasing } from '../../src/epochs/release.ts';

const row = (entity: string, offset: number, eventTimeMs: number, sequence = 0) => ({
  entity,
  partition: 0,
  offset,
  eventTimeMs,
  sequence,
});

test('rows come out in source order, and what is older than its entity has released goes aside', () => {
  const rows = [row('a', 3, 100), row('a', 1, 200), row('b', 2, 50), row('a', 5, 200, 1), row('a', 4, 200)];
  const releasing = new Releasing(entity => (entity === 'b' ? { eventTimeMs: 60, sequence: 0 } : undefined));
  const released = inReleaseOrder(rows, 'live').map(({ entity, offset, eventTimeMs, sequence }) => [
    offset,
    releasing.isAside(entity, eventTimeMs, sequence),
  ]);
  expect(released).toEqual([
    [1, false],
    [2, true],
    [3, true],
    [4, false],
    [5, false],
  ]);
  expect(releasing.takeNewest()).toEqual([['a', { eventTimeMs: 200, sequence: 1 }]]);
});

test('what was released is known without asking again, and only what has moved is given', () => {
  const asked: string[] = [];
  const releasing = new Releasing(entity => void asked.push(entity));
  expect([releasing.isAside('a', 100, 0), releasing.isAside('b', 100, 0)]).toEqual([false, false]);
  expect(releasing.takeNewest()).toHaveLength(2);
  expect([releasing.isAside('a', 99, 0), releasing.isAside('b', 101, 0)]).toEqual([true, false]);
  expect(releasing.takeNewest()).toEqual([['b', { eventTimeMs: 101, sequence: 0 }]]);
  expect(releasing.takeNewest()).toEqual([]);
  expect(asked).toEqual(['a', 'b']);
});

test('of more entities than are kept at hand the newest is asked for again', () => {
  const newest = new Map<string, { eventTimeMs: number; sequence: number }>();
  const releasing = new Releasing(entity => newest.get(entity));
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 5_000; i++) expect(releasing.isAside(`e${i}`, 10 + round, 0)).toBe(false);
    for (const [entity, at] of releasing.takeNewest()) newest.set(entity, at);
    for (let i = 0; i < 5_000; i++) expect(releasing.isAside(`e${i}`, 9 + round, 0)).toBe(true);
  }
});

test('every replay epoch comes before every live one, and both come back as they went in', () => {
  const replay = { phase: 'replay', n: 20_000_000_000 } as const;
  const live = { phase: 'live', n: 3 } as const;
  expect(epochOf(replay)).toBeLessThan(epochOf(live));
  expect([partsOf(epochOf(replay)), partsOf(epochOf(live))]).toEqual([replay, live]);
});
