import { describe, expect, test } from '@jest/globals';
import {
  type Aggregate, count, definePipeline, distinct, type Duration, type FeatureDefinition, field, ge, inForce, last, maxOf, mean, minOf, type Pipeline, share,
  stddev, sum, timeSinceLast,
} from '@millrace/define'; // prettier-ignore
import fc from 'fast-check';
import {
  compareOrder,
  compileSet,
  type CompiledStage,
  type EntityState,
  type FoldEvent,
} from '../../src/index.ts';
import { naiveAggregate } from './naive.ts';

const price = { value: field('price'), scale: 2 };
const kinds = (
  of: string,
  window: Duration,
  delay: Duration,
): Readonly<Record<string, FeatureDefinition>> => ({
  count: count({ of, window, delay }),
  countWhere: count({ of, window, delay, where: field('flag') }),
  sum: sum({ of, window, delay, ...price }),
  mean: mean({ of, window, delay, ...price, where: field('flag') }),
  min: minOf({ of, window, delay, ...price }),
  max: maxOf({ of, window, delay, ...price, empty: -1 }),
  stddev: stddev({ of, window, delay, ...price }),
  share: share({ of, window, delay, where: ge(field('price'), 0) }),
  distinct: distinct({ of, window, delay, value: field('shop') }),
  last: last({ of, window, delay, ...price }),
  timeSinceLast: timeSinceLast({ of, window, delay, where: field('flag') }),
});
const features: Record<string, FeatureDefinition> = {};
for (const stream of ['orders', 'returns', 'visits'])
  for (const window of ['5s', '40s'] as const)
    for (const delay of ['0s', '10s'] as const)
      for (const [kind, definition] of Object.entries(kinds(stream, window, delay)))
        features[`${stream}_${window}_${delay}_${kind}`] = definition;
features['tiers_price'] = inForce({ of: 'tiers', value: field('price') });
features['tiers_flag'] = inForce({ of: 'tiers', value: field('flag'), empty: -1 });

const pipeline: Pipeline = definePipeline({
  name: 'shop',
  entity: 'id',
  scores: 'orders',
  events: {
    orders: { schema: 'shop/order', time: 'at', keys: ['id'] },
    returns: { schema: 'shop/return', of: 'orders', time: 'at', knownAt: 'knownAt', keys: ['id'] },
    visits: { schema: 'shop/visit', time: 'at', keys: ['id'] },
    tiers: { schema: 'shop/tier', time: 'at', keys: ['id'], table: true },
  },
  features: { version: 1, inputs: {}, views: [{ name: 'all', version: 1, key: 'id', features }] },
  model: { name: 'shop', outputs: ['score'], fallback: [] },
  decisions: [{ name: 'any' }],
});
const set = compileSet(pipeline);
const stage = set.stages[0] as CompiledStage;
const aggregates = stage.features.map(name => (features[name] as { aggregate: Aggregate }).aggregate);

/**
 * Deliveries out of order, some twice, some corrected, or withdrawn; an id keeps its time. There are fewer times than ids, so
 * that many are of the same time, of one stream and across them, and sequence, partition and offset say which comes first.
 */
const deliveries = (timeMax: number, size: number): fc.Arbitrary<readonly FoldEvent[]> =>
  fc
    .tuple(
      fc.integer({ min: 2, max: timeMax }),
      fc.array(
        fc.record({
          stream: fc.constantFrom('orders', 'orders', 'returns', 'visits', 'tiers'),
          id: fc.nat(size),
          revision: fc.constantFrom(0, 0, 0, 1, 2),
          withdrawn: fc.constantFrom(false, false, false, true),
          knownAfter: fc.nat(20),
          sequence: fc.nat(2),
          partition: fc.nat(2),
          place: fc.nat(99),
          price: fc.oneof(fc.integer({ min: -99_999, max: 99_999 }), fc.constant(undefined)),
          flag: fc.boolean(),
          shop: fc.constantFrom('a', 'b', 'c', undefined),
        }),
        { minLength: 1, maxLength: size, size: 'max' },
      ),
    )
    .map(([times, drafts]) =>
      drafts.map((d, i): FoldEvent => {
        const time = ((d.id * 7919) % times) * 1000;
        return {
          stream: d.stream,
          eventId: `e${d.id}`,
          revision: d.revision,
          withdrawn: d.withdrawn,
          time,
          knownAt:
            d.stream === 'returns' ? time + d.knownAfter * 1000 : d.stream === 'tiers' ? time : undefined,
          sequence: d.sequence,
          partition: d.partition,
          // Each its own, and in no order: what is sent again keeps the place where it first stood.
          offset: d.place * 1000 + i,
          fields: {
            id: 'x',
            price: d.price === undefined ? null : d.price / 100,
            flag: d.flag,
            shop: d.shop ?? null,
          },
        };
      }),
    );

/** What of the deliveries has an effect: a revision once, and of an event none below one already there. */
const effective = (past: readonly FoldEvent[], e: FoldEvent): boolean => {
  const same = past.filter(p => p.stream === e.stream && p.eventId === e.eventId);
  return e.stream === 'returns'
    ? same.every(p => p.revision !== e.revision)
    : same.every(p => p.revision < e.revision);
};

const checkAgainstNaive = (
  events: readonly FoldEvent[],
  restart: (state: EntityState) => EntityState,
): void => {
  let state = stage.open();
  const past: FoldEvent[] = [];
  for (const event of events) {
    const counts = effective(past, event);
    const folded = stage.fold(state, event);
    expect(folded.admission === 'folded').toBe(counts);
    if (counts) past.push(event);
    const answered = counts && event.stream === 'orders' && !event.withdrawn;
    expect(folded.values !== undefined).toBe(answered);
    if (folded.values !== undefined) {
      const expected = aggregates.map(a => naiveAggregate(a, past, event));
      stage.features.forEach((name, i) => {
        const value = folded.values![i]!;
        const close = name.endsWith('stddev')
          ? Math.abs(value - expected[i]!) <= 1e-9 * Math.max(1, expected[i]!)
          : Object.is(value + 0, expected[i]! + 0);
        if (!close && !(Number.isNaN(value) && Number.isNaN(expected[i]!)))
          throw new Error(`${name} is ${value}, not ${expected[i]}`);
      });
    }
    state = restart(state);
  }
};

describe('every aggregation equals its plain definition', () => {
  test('where events of one time differ in sequence, in partition, or in their place alone, of one stream and across', () => {
    const ties = { sequence: 0, partition: 0, offset: 0, stream: 0 };
    for (const events of fc.sample(deliveries(60, 60), { numRuns: 100, seed: 1 }))
      events.forEach((a, i) => {
        for (const b of events.slice(0, i).filter(({ time, eventId }) => time === a.time && eventId !== a.eventId))
          ties[a.sequence !== b.sequence ? 'sequence' : a.stream !== b.stream ? 'stream' : a.partition !== b.partition ? 'partition' : 'offset']++;
      });
    for (const count of Object.values(ties)) expect(count).toBeGreaterThan(30);
  }); // prettier-ignore

  test('out of order, at equal times, with duplicates, corrections and withdrawals', () => {
    fc.assert(
      fc.property(deliveries(60, 60), events => checkAgainstNaive(events, state => state)),
      { numRuns: 100 },
    );
  });

  test('over many leaves', () => {
    fc.assert(
      fc.property(deliveries(300, 400), events => checkAgainstNaive(events, state => state)),
      { numRuns: 5 },
    );
  });

  test('in order, as a replay folds', () => {
    fc.assert(
      fc.property(deliveries(120, 150), events =>
        checkAgainstNaive(events.toSorted(compareOrder), state => state),
      ),
      { numRuns: 12 },
    );
  });

  test('with the state taken away and put back from its changed chunks after every event', () => {
    fc.assert(
      fc.property(deliveries(100, 120), events => {
        const changelog = new Map<string, Uint8Array>();
        checkAgainstNaive(events, state => {
          for (const [key, bytes] of state.dirtyChunks())
            if (bytes === null) changelog.delete(key);
            else changelog.set(key, bytes);
          const restored = stage.open();
          for (const [key, bytes] of [...changelog].toReversed()) restored.restoreChunk(key, bytes);
          return restored;
        });
      }),
      { numRuns: 12 },
    );
  });
});
