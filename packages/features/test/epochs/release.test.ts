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

test('every replay epoch comes before every live one, and both come back as they went in', () => {
  const replay = { phase: 'replay', n: 20_000_000_000 } as const;
  const live = { phase: 'live', n: 3 } as const;
  expect(epochOf(replay)).toBeLessThan(epochOf(live));
  expect([partsOf(epochOf(replay)), partsOf(epochOf(live))]).toEqual([replay, live]);
});
