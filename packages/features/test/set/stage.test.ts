import { describe, expect, test } from '@jest/globals';
import {
  count,
  definePipeline,
  derived,
  divide,
  feature,
  field,
  multiply,
  share,
  sum,
} from '@millrace/define';
import { compileSet, type EntityState, foldInOrder, type FoldEvent } from '../../src/index.ts';

const DAY = 86_400_000;
const pipeline = definePipeline({
  name: 'shop',
  entity: 'userId',
  scores: 'orders',
  events: {
    orders: { schema: 'shop/order', time: 'at', keys: ['userId', 'shopId'] },
    returns: { schema: 'shop/return', of: 'orders', time: 'at', knownAt: 'knownAt', keys: ['userId', 'shopId'] },
  },
  features: {
    version: 3,
    inputs: { price: field('price') },
    views: [
      { name: 'derived', version: 1, features: { ratio: derived(divide(feature('twice'), feature('total1d'))), twice: derived(multiply(2, feature('price'))) } },
      { name: 'shop', version: 1, key: 'shopId', features: { returned7d: share({ of: 'returns', where: field('isReturned'), window: '7d' }) } },
      { name: 'user', version: 1, key: 'userId', features: { orders7d: count({ of: 'orders', window: '7d' }), total1d: sum({ of: 'orders', value: field('price'), scale: 2, window: '1d' }) } },
    ],
  },
  model: { name: 'shop', outputs: ['score'], fallback: [] },
  decisions: [{ name: 'any' }],
}); // prettier-ignore
const set = compileSet(pipeline);

let number = 0;
const order = (time: number, price = 1, more: Partial<FoldEvent> = {}): FoldEvent => ({
  stream: 'orders', eventId: `o${number}`, revision: 0, withdrawn: false, time, knownAt: undefined, sequence: number, partition: 0, offset: number++,
  fields: { userId: 'u', shopId: 's', price }, ...more,
}); // prettier-ignore
const label = (of: FoldEvent, knownAt: number, isReturned: boolean, revision = 0): FoldEvent => ({
  ...of, stream: 'returns', knownAt, revision, offset: number++, fields: { ...of.fields, isReturned },
}); // prettier-ignore

const changesOf = (state: EntityState): Map<string, number | null> =>
  new Map([...state.dirtyChunks()].map(([key, bytes]) => [key, bytes === null ? null : bytes.length]));

describe('a compiled set', () => {
  test('has a stage for each key in the order of the stream, and the vector in the order of the model', () => {
    expect(set.stages.map(s => [s.key, s.features, s.streams])).toEqual([
      ['userId', ['orders7d', 'total1d'], ['orders']],
      ['shopId', ['returned7d'], ['orders', 'returns']],
    ]);
    expect(set.names).toEqual(['price', 'ratio', 'twice', 'returned7d', 'orders7d', 'total1d']);
    expect(set).toMatchObject({ version: 3, scores: 'orders' });
    const vector = set.finish({ price: 3 }, [Float64Array.of(7, 12), Float64Array.of(0.1)]);
    expect([...vector]).toEqual([3, 0.5, 6, Math.fround(0.1), 7, 12]);
    expect(set.finish({}, [Float64Array.of(0, 0), Float64Array.of(0)])[1]).toBeNaN();
  });

  test('window edges: one exactly as old as the window is out, one a millisecond younger is in', () => {
    const [stage] = set.stages;
    const state = stage!.open();
    stage!.fold(state, order(0, 5));
    stage!.fold(state, order(1, 7));
    expect([...stage!.fold(state, order(DAY, 0.1)).values!]).toEqual([3, 7.1]);
  });

  test('a label counts from when it is known, a revision from then on in its place', () => {
    const [, stage] = set.stages;
    const state = stage!.open();
    const first = order(0);
    const second = order(10);
    const at = (time: number): number => stage!.fold(state, order(time)).values![0]!;
    for (const e of [first, second, label(first, 100, true), label(second, 100, false)])
      stage!.fold(state, e);
    expect(at(99)).toBe(0);
    expect(at(100)).toBe(0.5);
    expect(stage!.fold(state, label(second, 200, true, 1)).admission).toBe('folded');
    expect(stage!.fold(state, label(second, 200, true, 1)).admission).toBe('duplicate');
    expect(at(200)).toBe(1);
    // An event that comes late sees what was known at its own time.
    expect(at(150)).toBe(0.5);
    stage!.fold(state, { ...label(first, 300, true, 1), withdrawn: true });
    expect(at(300)).toBe(1);
    expect(at(299)).toBe(1);
    expect(stage!.fold(state, order(5)).late).toBe(true);
  });

  test('a correction takes the place of its event, a withdrawal leaves nothing but the memory of it', () => {
    const [stage] = set.stages;
    const state = stage!.open();
    const wrong = order(0, 100);
    stage!.fold(state, wrong);
    const corrected = { ...wrong, revision: 1, fields: { ...wrong.fields, price: 10 } };
    expect([...stage!.fold(state, corrected).values!]).toEqual([1, 10]);
    expect(stage!.fold(state, wrong)).toEqual({ admission: 'superseded', late: false, values: undefined });
    expect([...stage!.fold(state, order(5, 1)).values!]).toEqual([2, 11]);
    expect(stage!.fold(state, { ...wrong, revision: 2, withdrawn: true }).values).toBeUndefined();
    expect([...stage!.fold(state, order(6, 1)).values!]).toEqual([2, 2]);
  });
});

describe('an event that was of another time or key', () => {
  const at = (userId: string, time: number, more: Partial<FoldEvent> = {}): FoldEvent =>
    order(time, 1, { fields: { userId, shopId: 's', price: 1 }, ...more });
  const wrong = at('u', 10, { eventId: 'wrong' });
  const right = at('v', 20, { eventId: 'right' });
  const others = [at('u', 5), at('v', 15), at('u', 30), at('v', 40)];
  const countsOf = (events: readonly FoldEvent[]): Map<string, number> =>
    new Map([...foldInOrder(set, events)].map(({ event, values }) => [event.eventId, values[set.names.indexOf('orders7d')]!]));

  test('leaves nothing where it was, once it is withdrawn and sent anew under a new id', () => {
    const withdrawal = { ...wrong, revision: 1, withdrawn: true, offset: number++ };
    const [first, second, ...later] = others;
    const counts = countsOf([first!, wrong, second!, withdrawal, right, ...later]);
    counts.delete('wrong');
    expect(counts).toEqual(countsOf([first!, second!, right, ...later]));
    expect(others.map(({ eventId }) => counts.get(eventId))).toEqual([1, 1, 2, 3]);
  });

  test('counts at both places where a revision has moved it: it is found by id, time and key', () => {
    const moved = { ...wrong, revision: 1, time: 20, offset: number++ };
    const counts = countsOf([others[0]!, wrong, moved, others[2]!]);
    expect(counts.get(others[2]!.eventId)).toBe(4);
  });
}); // prettier-ignore

describe('state of an entity', () => {
  test('writes few bytes however many events it holds, and drops what nobody needs any more', () => {
    const [stage] = set.stages;
    const state = stage!.open();
    const changelog = new Map<string, number>();
    let bytesMax = 0;
    let chunksMax = 0;
    for (let i = 0; i < 20_000; i++) {
      const time = i * 600_000; // ten minutes apart, 139 days in all
      const { values } = stage!.fold(state, order(time, 1));
      expect(values![0]).toBe(Math.min(i + 1, 7 * 144));
      let bytes = 0;
      for (const [key, length] of changesOf(state)) {
        bytes += length ?? 0;
        if (length === null) changelog.delete(key);
        else changelog.set(key, length);
      }
      bytesMax = Math.max(bytesMax, bytes);
      chunksMax = Math.max(chunksMax, changelog.size);
    }
    // Eight days of 144 events stand in leaves of at least eight, and no event writes more than a split leaf.
    expect(bytesMax).toBeLessThan(1200);
    expect(chunksMax).toBeLessThan((8 * 144) / 8);
    state.expireBefore(20_000 * 600_000 + 30 * DAY);
    expect([...changesOf(state).values()].every(bytes => bytes === null)).toBe(true);
    expect(state.isEmpty).toBe(true);
  });

  test('an event older than all that is kept is answered, but changes nothing', () => {
    const [stage] = set.stages;
    const state = stage!.open();
    stage!.fold(state, order(30 * DAY));
    state.forgetChanges();
    const folded = stage!.fold(state, order(0));
    expect(folded).toMatchObject({ admission: 'expired', late: true });
    expect([...folded.values!]).toEqual([1, 1]);
    expect(changesOf(state).size).toBe(0);
  });

  test('refuses chunks of other views', () => {
    const [users, shops] = set.stages;
    const state = users!.open();
    users!.fold(state, order(0));
    const [[key, bytes] = ['', null]] = [...state.dirtyChunks()];
    expect(() => shops!.open().restoreChunk(key, bytes!)).toThrow('was written for other views');
    expect(() => users!.open().restoreChunk(`visits:${key}`, bytes!)).toThrow("stream 'visits'");
    expect(() => users!.open().restoreChunk(key, Uint8Array.from([9, ...bytes!.slice(1)]))).toThrow(
      'has format 9',
    );
  });
});

test('foldInOrder gives each event its vector once', () => {
  const a = order(0, 2);
  const b = order(5, 4, { fields: { userId: 'v', shopId: 's', price: 4 } });
  const vectors = [...foldInOrder(set, [a, label(a, 3, true), b, b, order(6, 6)])];
  expect(vectors.map(v => [v.event.time, v.late, ...v.values])).toEqual([
    [0, false, 2, 2, 4, 0, 1, 2],
    [5, false, 4, 2, 8, 1, 1, 4],
    [6, false, 6, 1.5, 12, 1, 2, 8],
  ]);
});
