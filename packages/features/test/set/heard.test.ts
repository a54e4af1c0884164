import { describe, expect, test } from '@jest/globals';
import { count, definePipeline, field, inForce, share } from '@millrace/define';
import fc from 'fast-check';
import { compareOrder, compileSet, type FoldEvent, Heard, NEVER_HEARD } from '../../src/index.ts';

const HOUR_MS = 3_600_000;
const pipeline = definePipeline({
  name: 'shop',
  entity: 'shop',
  scores: 'orders',
  events: {
    orders: { schema: 's/o', time: 'at', keys: ['shop'] },
    returns: { schema: 's/r', of: 'orders', time: 'at', knownAt: 'knownAt', keys: ['shop'] },
    classes: { schema: 's/c', time: 'since', keys: ['shop'], table: true },
  },
  features: {
    version: 1,
    inputs: {},
    views: [
      { name: 'orders', version: 1, key: 'shop', features: { n: count({ of: 'orders', window: '1d' }) } },
      { name: 'risk', version: 1, key: 'shop', features: { r: share({ of: 'returns', where: field('isReturned'), window: '30d' }) } },
      { name: 'both', version: 1, key: 'shop', features: {
        r1: share({ of: 'returns', where: field('isReturned'), window: '1d' }), c: inForce({ of: 'classes', value: field('class') }),
      } },
    ],
  },
  model: { name: 'm', outputs: ['y'], fallback: [] },
  decisions: [{ name: 'any' }],
}); // prettier-ignore
const [stage] = compileSet(pipeline).stages;

let offset = 0;
const event = (stream: string, hours: number, shop = 'a', at = hours): FoldEvent => ({
  stream, eventId: `${stream} ${offset}`, revision: 0, withdrawn: false, time: at * HOUR_MS, knownAt: stream === 'orders' ? undefined : hours * HOUR_MS,
  sequence: offset, partition: 0, offset: offset++, fields: { shop, isReturned: true, class: 1 },
}); // prettier-ignore

/** Folds all, and gives the ages of the orders in hours: of each view how far it is behind, and how long it heard nothing. */
const agesOf = (events: readonly FoldEvent[], heard = new Heard(stage!.heard)): number[][] => {
  const states = new Map<string, ReturnType<NonNullable<typeof stage>['open']>>();
  return events.flatMap(one => {
    const shop = String(one.fields['shop']);
    const state = states.get(shop) ?? stage!.open();
    states.set(shop, state);
    heard.note(one);
    const ages = stage!.agesOf(state, one, heard);
    stage!.fold(state, one);
    return ages.length === 0 ? [] : [ages.map(age => (age === NEVER_HEARD ? age : age / 3600))];
  });
};

describe('ages of views', () => {
  test('are of the streams beside the scored one, from when they took effect; of several the farthest behind', () => {
    expect(stage!.views).toEqual(['orders', 'risk', 'both']);
    expect(stage!.heard).toEqual(['returns', 'classes']);
    const found = agesOf([
      event('orders', 1),
      event('orders', 3), // nobody else has said anything: they count from the first event
      event('classes', 4),
      event('returns', 6, 'a', 1), // known at 6, of an order at 1
      event('orders', 7),
      event('orders', 8, 'b'), // another shop: the streams are as far, and it is new
      event('orders', 2, 'a'), // late: nothing is behind it
    ]);
    const [behind, since] = [0, 1].map(k => found.map(ages => ages.filter((_, i) => i % 2 === k)));
    expect(behind).toEqual([[0, 0, 0], [0, 2, 2], [0, 1, 3], [0, 2, 4], [0, 0, 0]]);
    // Of its own orders; of the order that was returned; of its class.
    expect(since).toEqual([[-1, -1, -1], [2, -1, -1], [4, 6, 3], [-1, -1, -1], [0, 1, 0]]);
  }); // prettier-ignore

  test('go on from what was kept, and a stream that is new to the stage from the oldest of the others', () => {
    const heard = new Heard(['returns', 'classes']);
    expect(heard.note(event('returns', 5))).toBe(true);
    expect(heard.note(event('returns', 5))).toBe(false);
    expect(heard.note(event('orders', 9))).toBe(false);
    expect(heard.kept()).toEqual({ returns: 5 * 3600, classes: 5 * 3600 });
    const again = new Heard(['returns', 'classes'], heard.kept());
    expect(again.behind('returns', 7 * HOUR_MS)).toBe(2 * 3600);
    expect(new Heard(['returns', 'limits'], { returns: 9 }).kept()).toEqual({ returns: 9, limits: 9 });
    expect(new Heard([]).note(event('orders', 1))).toBe(false);
  });

  test('fit what they are written as, however old an event claims to be', () => {
    const [, after] = agesOf([{ ...event('orders', 0), time: -8e15 }, event('orders', 1)]);
    expect(Math.max(...after!) * 3600).toBe(2 ** 31 - 1);
  });

  test('are in order of time what a look through all events gives', () => {
    const stream = fc.constantFrom('orders', 'returns', 'classes');
    const some = fc.array(fc.tuple(stream, fc.nat(99), fc.constantFrom('a', 'b')), { maxLength: 40 });
    fc.assert(
      fc.property(some, given => {
        const events = given.map(([name, hours, shop]) => event(name, hours, shop)).sort(compareOrder);
        const newest = (i: number, name: string): number =>
          Math.max(...events.slice(0, i).filter(one => one.stream === name).map(one => one.time), -Infinity); // prettier-ignore
        const expected = events.flatMap((one, i) => {
          if (one.stream !== 'orders') return [];
          const first = events[0]!.time;
          return [(one.time - Math.max(newest(i, 'returns'), first)) / HOUR_MS];
        });
        expect(agesOf(events).map(ages => ages[2])).toEqual(expected);
      }),
    );
  });
});
