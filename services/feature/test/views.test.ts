import { describe, expect, test } from '@jest/globals';
import { count, definePipeline, distinct, field, maxOf, sum } from '@millrace/define';
import { compileSet, type FoldEvent, foldInOrder } from '@millrace/features';
import type { KeyedState } from '@millrace/stream';
import { newestOf, putNewest, TaskBook } from '../src/book.ts';
import { EntityCache } from '../src/entityCache.ts';
import { StageViews } from '../src/views.ts';

const DAY_MS = 86_400_000;
const pipeline = definePipeline({
  name: 'p',
  entity: 'id',
  scores: 'orders',
  events: { orders: { schema: 'p/o', time: 'at', keys: ['id'] } },
  features: {
    version: 1,
    inputs: {},
    views: [
      {
        name: 'v',
        version: 1,
        key: 'id',
        features: {
          count: count({ of: 'orders', window: '7d' }),
          sum: sum({ of: 'orders', window: '30d', value: field('price'), scale: 2 }),
          max: maxOf({ of: 'orders', window: '30d', value: field('price') }),
          shops: distinct({ of: 'orders', window: '7d', value: field('shop') }),
        },
      },
    ],
  },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
});
const set = compileSet(pipeline);
const stage = set.stages[0]!;

interface Kept extends KeyedState {
  readonly map: Map<string, Uint8Array>;
  reads: number;
}

function keptState(map = new Map<string, Uint8Array>()): Kept {
  let walk = map.keys();
  const state: Kept = {
    map,
    reads: 0,
    get size() {
      return map.size;
    },
    get: key => map.get(key),
    put: (key, value) => map.set(key, new Uint8Array(value)),
    delete: key => map.delete(key),
    entries: () => map.entries(),
    inGroup: group => {
      state.reads++;
      return [...map].filter(([key]) => key.slice(0, key.lastIndexOf('\0') + 1) === group);
    },
    nextKeys: (prefix, max) => {
      const keys: string[] = [];
      for (let i = 0; i < max; i++) {
        const next = walk.next();
        if (next.done === true) {
          walk = map.keys();
          break;
        }
        if (next.value.startsWith(prefix)) keys.push(next.value);
      }
      return keys;
    },
  };
  return state;
}

const scatter = (i: number, below: number): number => ((i * 48_271) % 2_147_483_647) % below;
const orderOf = (i: number, id: string, time: number): FoldEvent => ({
  stream: 'orders', eventId: `e${i}`, revision: 0, withdrawn: false, time, knownAt: undefined, sequence: i, partition: 0, offset: i,
  fields: { id, price: scatter(i, 10_000) / 100, shop: `s${scatter(i, 9)}` },
}); // prettier-ignore
const viewsOver = (
  state: KeyedState,
  cache: EntityCache,
  signal = new AbortController().signal,
): StageViews => new StageViews(stage, { state, signal }, cache);

describe('the views of a stage', () => {
  test('are the same with room for a tenth of their entities as with room for all', () => {
    const events = Array.from({ length: 4_000 }, (_, i) => orderOf(i, `k${scatter(i, 200)}`, i * 600_000));
    const expected = [...foldInOrder(set, events)].map(({ values }) => [...values]);
    const wide = new EntityCache(2 ** 30);
    const all = keptState();
    const run = (state: Kept, cache: EntityCache): { found: number[][]; bytesMax: number } => {
      const views = viewsOver(state, cache);
      let bytesMax = 0;
      const found = events.map((event, i) => {
        const folding = views.fold(event);
        if (i % 5 === 4) views.flush();
        if (i % 5 === 4) bytesMax = Math.max(bytesMax, cache.bytes);
        return [
          ...set.finish(event.fields, [Float64Array.from('features' in folding ? folding.features : [])]),
        ];
      });
      views.flush();
      return { found, bytesMax };
    };
    const { found, bytesMax } = run(all, wide);
    expect(found).toEqual(expected);
    const narrow = new EntityCache(Math.floor(bytesMax / 10));
    const some = keptState();
    const evicted = run(some, narrow);
    expect(evicted.found).toEqual(expected);
    expect(evicted.bytesMax).toBeLessThanOrEqual(bytesMax / 10);
    expect([all.reads, some.reads > 2_000]).toEqual([200, true]);
    expect(some.map).toEqual(all.map);
  });

  test('let go of entities that nobody asks for any more, by event time, and write tombstones', () => {
    const state = keptState();
    const views = viewsOver(state, new EntityCache(2 ** 20));
    for (let i = 0; i < 300; i++) views.fold(orderOf(i, `once${i}`, i * 1_000));
    views.flush();
    const before = state.size;
    expect(before).toBeGreaterThan(300);
    // Windows of 30 days, a day of allowance, a day that an event may be ahead, and half of the grid of the leaves.
    for (let day = 0; day < 60; day++) {
      for (let i = 0; i < 20; i++) views.fold(orderOf(1_000 + day * 20 + i, `often${i}`, day * DAY_MS + i));
      views.flush();
      const left = [...state.map.keys()].filter(key => key.includes('once')).length;
      if (day < 31) expect(left).toBe(300);
      if (day === 59) expect(left).toBe(0);
    }
  });

  test('do not depend on whether the sweep has come by', () => {
    const events = [
      ...Array.from({ length: 20 }, (_, i) => orderOf(i, 'idle', i * DAY_MS)),
      ...Array.from({ length: 60 }, (_, i) => orderOf(100 + i, 'other', (20 + i) * DAY_MS)),
      orderOf(200, 'idle', 21 * DAY_MS),
      orderOf(201, 'idle', 79 * DAY_MS),
    ];
    const answers = [true, false].map(swept => {
      const state = keptState();
      if (!swept) state.nextKeys = () => [];
      const views = viewsOver(state, new EntityCache(1));
      return events.map(event => {
        const folding = views.fold(event);
        views.flush();
        return folding;
      });
    });
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]!.at(-2)).toMatchObject({ features: [1, expect.any(Number), expect.any(Number), 1] });
  });

  test('let go of what is too old in an entity that stays in memory, as in one that is read again', () => {
    const events = [
      ...Array.from({ length: 5 }, (_, i) => orderOf(i, 'idle', i * DAY_MS)),
      orderOf(100, 'other', 80 * DAY_MS),
      orderOf(200, 'idle', 5 * DAY_MS),
      // Where there is no room it takes the place of the one before.
      orderOf(201, 'other', 80 * DAY_MS),
      orderOf(202, 'idle', 21 * DAY_MS),
      orderOf(203, 'idle', 22 * DAY_MS),
    ];
    const [kept, again] = [2 ** 30, 1].map(room => {
      const views = viewsOver(keptState(), new EntityCache(room));
      return events.map(event => {
        const folding = views.fold(event);
        views.flush();
        return folding;
      });
    });
    expect(kept).toEqual(again);
  });

  test('keep a hot entity that is larger than the room for all, and let the others go', () => {
    const state = keptState();
    const views = viewsOver(state, new EntityCache(1));
    for (let i = 0; i < 10; i++) {
      views.fold(orderOf(i, 'hot', i * DAY_MS));
      views.flush();
    }
    expect(state.reads).toBe(1);
    views.fold(orderOf(10, 'cold', 10 * DAY_MS));
    views.flush();
    views.fold(orderOf(11, 'hot', 11 * DAY_MS));
    expect(state.reads).toBe(3);
  });

  test('give their room back when their task is over', () => {
    const cache = new EntityCache(2 ** 20);
    const abort = new AbortController();
    const views = viewsOver(keptState(), cache, abort.signal);
    views.fold(orderOf(1, 'a', 1));
    views.flush();
    expect([cache.size, cache.bytes > 0]).toEqual([1, true]);
    abort.abort();
    expect([cache.size, cache.bytes]).toEqual([0, 0]);
  });
});

test('state over another number of partitions is refused, with the way to more of them', () => {
  const state = keptState();
  new TaskBook(state, 'hash', 3, undefined).begin();
  expect(new TaskBook(state, 'hash', 3, undefined).head).toBeDefined();
  expect(() => new TaskBook(state, 'hash', 6, undefined)).toThrow(/over 3 partitions.* to be 6.*OPERATING/u);
});

describe('inputs of a task', () => {
  const of = (readTo: number) => ({ readTo, ahead: [] });

  test('are known by their topics, so that another may come between them, or one may go', () => {
    const state = keptState();
    const book = new TaskBook(state, 'hash', 3, undefined);
    book.cut(['events', 'events.aside'], { closed: 7, inputs: [of(1), of(2)] });
    book.flush();
    const inputsOf = (...topics: string[]) =>
      new TaskBook(state, 'hash', 3, undefined).cutterOf(topics)!.inputs;
    expect(inputsOf('events', 'a.table', 'events.aside')).toEqual([of(1), undefined, of(2)]);
    expect(inputsOf('events.aside')).toEqual([of(2)]);
  });

  test('without their topics, as an older release kept them, are taken as they are or refused', () => {
    const state = keptState();
    const book = {
      set: 'hash',
      cutter: { closed: 7, inputs: [of(1), of(2)] },
      applied: {},
      head: 7,
      released: 7,
    };
    state.put('epochs', new TextEncoder().encode(JSON.stringify(book)));
    const old = new TaskBook(state, 'hash', 3, undefined);
    expect(old.cutterOf(['events', 'events.aside'])!.inputs).toEqual([of(1), of(2)]);
    expect(() => old.cutterOf(['events', 'a.table', 'events.aside'])).toThrow(
      /cut from 2 topics .* now there are 3: start this release once with/u,
    );
  });
});

describe('formats of the state', () => {
  test('a newer one is refused, with the way back', () => {
    const state = keptState();
    const views = viewsOver(state, new EntityCache(2 ** 20));
    views.fold(orderOf(1, 'a', 1));
    views.flush();
    new TaskBook(state, 'hash', 3, undefined).begin();
    putNewest(state, 'a', { eventTimeMs: 5, sequence: 6 });
    for (const value of state.map.values()) value[0] = 9;
    const refused = /format 9 .* a newer release wrote it.*Start that release again/u;
    expect(() => viewsOver(state, new EntityCache(2 ** 20))).toThrow(refused);
    state.map.delete('hours\0id');
    expect(() => viewsOver(state, new EntityCache(2 ** 20)).fold(orderOf(2, 'a', 2))).toThrow(refused);
    expect(() => new TaskBook(state, 'hash', 3, undefined)).toThrow(refused);
    expect(() => newestOf(state, 'a')).toThrow(refused);
  });

  test('what an older release wrote is read, and written anew', () => {
    const state = keptState();
    const book = { set: 'hash', applied: { source: 7 }, head: 3, released: 2 };
    state.put('epochs', new TextEncoder().encode(JSON.stringify(book)));
    const view = new DataView(new ArrayBuffer(16));
    view.setFloat64(0, 5);
    view.setFloat64(8, 6);
    state.put('newest\0a', new Uint8Array(view.buffer));
    const read = new TaskBook(state, 'hash', 3, undefined);
    expect([read.appliedBy('source'), read.head, newestOf(state, 'a')]).toEqual([
      7,
      3,
      { eventTimeMs: 5, sequence: 6 },
    ]);
    expect(read.flush()).toBe(true);
    putNewest(state, 'a', { eventTimeMs: 7, sequence: 8 });
    expect([state.get('epochs')![0], state.get('newest\0a')![0], state.get('newest\0a')!.length]).toEqual([
      1, 1, 17,
    ]);
    expect([new TaskBook(state, 'hash', 3, undefined).head, newestOf(state, 'a')?.sequence]).toEqual([3, 8]);
  });
});
