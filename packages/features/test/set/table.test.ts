import { describe, expect, test } from '@jest/globals';
import { count, definePipeline, eq, field, inForce } from '@millrace/define';
import { compareOrder, compileSet, type EntityState, foldInOrder, type FoldEvent } from '../../src/index.ts';

const DAY = 86_400_000;
const pipeline = definePipeline({
  name: 'shop',
  entity: 'userId',
  scores: 'orders',
  events: {
    orders: { schema: 'shop/order', time: 'at', keys: ['userId', 'shopId'] },
    shops: { schema: 'shop/shop', time: 'since', keys: ['shopId'], table: true },
  },
  features: {
    version: 1,
    inputs: {},
    views: [
      { name: 'user', version: 1, key: 'userId', features: { orders7d: count({ of: 'orders', window: '7d' }) } },
      { name: 'shop', version: 1, key: 'shopId', features: { limit: inForce({ of: 'shops', value: field('limit') }), isFood: inForce({ of: 'shops', value: eq(field('kind'), 'food'), empty: 0 }) } },
    ],
  },
  reference: { shopLimit: inForce({ of: 'shops', value: field('limit') }) },
  model: { name: 'shop', outputs: ['score'], fallback: [] },
  decisions: [{ name: 'any' }],
}); // prettier-ignore
const set = compileSet(pipeline);
const stage = set.stages[1]!;

let number = 0;
const order = (time: number, shopId = 's'): FoldEvent => ({
  stream: 'orders', eventId: `o${number}`, revision: 0, withdrawn: false, time, knownAt: undefined, sequence: 0, partition: 0, offset: number++,
  fields: { userId: 'u', shopId },
}); // prettier-ignore
const shop = (time: number, limit: number | null, kind = 'food', shopId = 's'): FoldEvent => ({
  stream: 'shops', eventId: `r${number}`, revision: 0, withdrawn: false, time, knownAt: time, sequence: 9, partition: 0, offset: number++,
  fields: { shopId, limit, kind },
}); // prettier-ignore

const chunksOf = (state: EntityState, chunks: Set<string>): number => {
  for (const [key, bytes] of state.dirtyChunks())
    if (bytes === null) chunks.delete(key);
    else if (key.startsWith('shops:')) chunks.add(key);
  return chunks.size;
};

describe('a reference table', () => {
  test('joins the row that is in force at the time of the event, of the same millisecond too, however late it is read', () => {
    const events = [order(99), shop(100, 5), order(100), order(150, 'other'), shop(200, null, 'books'), order(300), shop(90, 4), order(95)];
    const limits = (inOrder: readonly FoldEvent[]) =>
      new Map([...foldInOrder(set, inOrder)].map(({ event, values }) => [event.time, [...values].slice(1)]));
    const inOrder = [...events].sort(compareOrder);
    expect([...foldInOrder(set, inOrder)].map(({ reference }) => [...reference])).toEqual([[4], [4], [5], [Number.NaN], [Number.NaN]]);
    expect(set.names).toEqual(['orders7d', 'limit', 'isFood']);
    expect(limits(inOrder)).toEqual(
      new Map([[95, [4, 1]], [99, [4, 1]], [100, [5, 1]], [150, [Number.NaN, 0]], [300, [Number.NaN, 0]]]),
    );
    // As they arrive: nobody knew a row yet, and one from before the newest is in force for what happened before it.
    expect(limits(events)).toEqual(
      new Map([[99, [Number.NaN, 0]], [100, [5, 1]], [150, [Number.NaN, 0]], [300, [Number.NaN, 0]], [95, [4, 1]]]),
    );
  }); // prettier-ignore

  test('a row stays in force however old it is; those it replaced go once no event of theirs can come any more', () => {
    const state = stage.open();
    const chunks = new Set<string>();
    stage.fold(state, shop(0, 1));
    const limitAt = (days: number) => stage.fold(state, order(days * DAY)).values![0];
    expect(limitAt(2_000)).toBe(1);
    let most = 0;
    for (let day = 2_001; day < 4_000; day++) {
      stage.fold(state, shop(day * DAY, day));
      most = Math.max(most, chunksOf(state, chunks));
    }
    expect(limitAt(3_910)).toBe(3_910);
    expect(limitAt(4_000)).toBe(3_999);
    // Three months of daily rows and the one before them, in leaves of 32 rows at most.
    expect(most).toBeLessThan(20);
    expect(chunksOf(state, chunks)).toBeGreaterThan(2);
    for (const chunk of chunks) expect(stage.neededUntil(chunk)).toBe(Number.POSITIVE_INFINITY);
  });
});
