import { describe, expect, test } from '@jest/globals';
import {
  checkPipeline, count, type Duration, definePipeline, derived, distinct, feature, field, ge, inForce, type FeatureView, last, mean, output, type PipelineInput, type Rejects, share, threshold,
} from '../src/index.ts'; // prettier-ignore
import { good } from './shop.ts';

const fieldsOf = (schema: string) =>
  ({
    'shop/order': new Set(['at', 'userId', 'shopId', 'price']),
    'shop/return': new Set(['at', 'knownAt', 'userId', 'shopId', 'isReturned']),
  })[schema];

describe('definePipeline', () => {
  test('fills in what is left out', () => {
    const pipeline = definePipeline(good);
    expect(pipeline).toMatchObject({ timeZone: 'UTC', partitions: 6, kpis: {} });
    expect(pipeline.delivery).toEqual({ inference: 'exactly_once', epochMs: 100, late: 'fold' });
    expect(checkPipeline(pipeline, fieldsOf)).toEqual([]);
  });

  test('holds every version of the set to the rules, as if it were the only one', () => {
    const next = { ...good.features, version: 2 };
    const beside = (more: object, delivery = {}): readonly string[] =>
      checkPipeline({ ...definePipeline(good), beside: [{ ...next, ...more }], ...delivery }, fieldsOf);
    expect(beside({})).toEqual([]);
    expect(beside({ version: 1 })).toEqual(['beside: version 1 of the set is there twice']);
    expect(beside({ inputs: { price: field('cost') } })).toEqual([
      "beside, version 2: features.inputs.price: field('cost') is unknown; there are at, userId, shopId, price",
    ]);
    expect(beside({}, { delivery: { inference: 'at_least_once', epochMs: 100, late: 'fold' } })).toEqual([
      'beside: with several versions of the set, delivery.inference has to be exactly_once',
    ]);
    expect(beside({ inputs: {} })[0]).toContain("feature('price') is unknown");
  });

  test('takes tables by one key of the scored stream, read by inForce alone', () => {
    const tables = { shops: { schema: 'shop/shop', time: 'since', keys: ['shopId'], table: true as const } };
    const limit = inForce({ of: 'shops', value: field('limit') });
    const shop = (features: object) => ({ name: 'shop', version: 1, key: 'shopId', features: { ...features } });
    const mistakes = (more: Partial<PipelineInput>, views: readonly object[] = []) =>
      checkPipeline(
        { ...definePipeline(good), ...more, events: { ...good.events, ...tables, ...more.events }, features: { ...good.features, views: [...good.features.views, ...views] } } as never,
        schema => (schema === 'shop/shop' ? new Set(['since', 'shopId', 'limit']) : fieldsOf(schema)),
      );
    const decisions = [{ name: 'stop', when: ge(output('score'), feature('limit')) }, { name: 'go' }];
    expect(mistakes({ reference: { limit }, decisions }, [shop({ limitOfShop: limit })])).toEqual([]);
    expect(mistakes({ reference: { limit, price: limit, orders1d: limit, shopId: limit } })).toEqual([
      "reference: the name 'price' is taken",
      'reference.price: a field of the scored event has this name',
      "reference: the name 'orders1d' is taken",
      'reference.shopId: a field of the scored event has this name',
    ]);
    expect(mistakes({ reference: { n: last({ of: 'shops', value: field('limit'), window: '1d' }), m: inForce({ of: 'orders', value: field('price') }), k: inForce({ of: 'shops', value: field('size') }) } })).toEqual([
      'reference.n: it is not made with inForce',
      "reference.m: inForce reads tables, and 'orders' is none",
      "reference.k.value: field('size') is unknown; there are since, shopId, limit",
    ]);
    expect(mistakes({}, [shop({ n: last({ of: 'shops', value: field('limit'), window: '1d' }) })])).toEqual([
      "view shop.n: 'shops' is a table: only inForce reads it",
    ]);
    expect(mistakes({ events: { shops: { ...tables.shops, knownAt: 'since', keys: ['shopId', 'userId'] } } })).toEqual([
      'events.shops: a table labels nothing: it has neither of nor knownAt',
      "events.shops: a table has one key, one of the scored stream's: userId, shopId",
      "events.shops: schema 'shop/shop' has no field 'userId'",
    ]);
    expect(mistakes({ scores: 'shops' })).toContain("scores: 'shops' is a table; events are scored");
  }); // prettier-ignore

  test('reports every mistake at once', () => {
    const bad: PipelineInput = {
      ...good,
      name: 'Shop!',
      timeZone: 'Mars/Olympus',
      scores: 'nothing',
      features: {
        version: 0,
        inputs: { price: output('score') },
        views: [
          { name: 'keyless', version: 1, features: { n: count({ of: 'orders', window: '1d' }) } },
          {
            name: 'wrong',
            version: 1,
            key: 'planet',
            features: {
              price: count({ of: 'unknown', window: '0d' }),
              m: mean({ of: 'orders', value: field('price'), window: 'soon' as Duration, scale: 0.5 }),
            },
          },
        ],
      },
      decisions: [{ name: 'stop' }, { name: 'go', when: threshold('low') }],
    };
    let message = '';
    try {
      definePipeline(bad);
    } catch (error) {
      message = (error as Error).message;
    }
    for (const part of [
      'name: it is not lower case',
      "timeZone: 'Mars/Olympus' is unknown",
      "scores: stream 'nothing' is unknown; there are orders, returns",
      'features.version: it is not 1 or more',
      "features.inputs.price: output('score') has no meaning here",
      'view keyless.n: an aggregate needs a view with a key',
      "view wrong: the name 'price' is taken",
      "view wrong.price: stream 'unknown' is unknown",
      "view wrong.price: window '0d' is no duration above zero",
      "view wrong.m: stream 'orders' does not carry the view's key 'planet'",
      "view wrong.m: window 'soon' is no duration",
      'view wrong.m: scale 0.5 is not a whole number',
      'decisions.stop: the last decision has no condition',
      "decisions.go: threshold('low') is unknown; there are high",
    ])
      expect(message).toContain(part);
  });

  test('inference alone may deliver otherwise, in a way that there is', () => {
    expect(definePipeline({ ...good, delivery: { inference: 'at_least_once' } }).delivery).toEqual({
      inference: 'at_least_once',
      epochMs: 100,
      late: 'fold',
    });
    const delivery = {
      inference: 'at_most_once',
      feature: 'at_least_once',
    } as unknown as PipelineInput['delivery'];
    expect(() => definePipeline({ ...good, ...(delivery === undefined ? {} : { delivery }) })).toThrow(
      /delivery\.inference: 'at_most_once' is neither[^\n]*\n- delivery\.feature: nothing can be chosen there/,
    );
  });

  test('late events can be refused where something is kept by the first key, or nothing by any', () => {
    const delivery = { late: 'dead-letter' } as const;
    const [view] = good.features.views;
    const of = (views: readonly FeatureView[]) => () =>
      definePipeline({ ...good, delivery, features: { ...good.features, views } });
    expect(of([view!])().delivery.late).toBe('dead-letter');
    expect(of([])().delivery.late).toBe('dead-letter');
    expect(of([{ ...view!, key: 'shopId' }])).toThrow(
      "delivery.late: what is late is known by 'userId', and no view keeps anything by it; use fold",
    );
    const wrong = { late: 'drop' } as unknown as PipelineInput['delivery'];
    expect(() => definePipeline({ ...good, ...(wrong && { delivery: wrong }) })).toThrow(
      "delivery.late: 'drop' is neither fold nor dead-letter",
    );
  });

  test('groups of people are told apart by a feature, and accepted by a threshold', () => {
    const evaluation = { labels: 'returns', truth: field('isReturned'), output: 'score' };
    const of = (fairness: object) =>
      checkPipeline(definePipeline({ ...good, evaluation: { ...evaluation, ...fairness } }), fieldsOf);
    expect(of({ fairness: { threshold: 'high', groups: { price: { 1: 'cheap' } } } })).toEqual([]);
    expect(() => of({ fairness: { threshold: 'low', groups: { planet: {} } } })).toThrow(
      /evaluation\.fairness\.threshold: 'low' is unknown; there are high\n- evaluation\.fairness\.groups: 'planet' is no feature/,
    );
    expect(() => of({ fairness: { threshold: 'high', groups: {} } })).toThrow('evaluation.fairness.groups: there is none');
  }); // prettier-ignore

  test('finds features that rest on themselves, over several steps', () => {
    const view = {
      name: 'circle',
      version: 1,
      features: {
        a: derived(feature('b')),
        b: derived(feature('c')),
        c: derived(feature('a')),
        d: derived(feature('a')),
      },
    };
    expect(() => definePipeline({ ...good, features: { version: 1, inputs: {}, views: [view] } })).toThrow(
      /feature a: it rests on itself\n- feature b: it rests on itself\n- feature c: it rests on itself$/,
    );
  });

  test('what becomes of rejected records: holding only where it stops nobody else and may mend something', () => {
    const rejects = {
      inference: { 'unknown-schema': 'hold', 'bad-value': 'stop', 'too-large': 'dead-letter' },
      sink: { 'handler-failed': 'stop' },
    } as const;
    expect(definePipeline({ ...good, rejects }).rejects).toEqual(rejects);
    expect(definePipeline(good).rejects).toEqual({});
    const wrong = {
      feature: { 'unknown-schema': 'hold' },
      inference: { 'bad-frame': 'hold', 'too-late': 'stop', 'bad-value': 'drop' },
      ingest: {},
    } as unknown as Rejects;
    expect(checkPipeline({ ...definePipeline(good), rejects: wrong })).toEqual([
      'rejects.feature.unknown-schema: only inference may hold; use dead-letter or stop',
      'rejects.inference.bad-frame: waiting mends nothing here, the bytes stay as they are; use dead-letter or stop',
      expect.stringContaining('rejects.inference.too-late: there is no such reason; there are bad-frame,'),
      'rejects.inference.bad-value: the policy is none of dead-letter, hold, stop',
      "rejects: 'ingest' rejects nothing; there are feature, inference, sink",
    ]);
  });

  test('a schedule of nights: what is left out, and every mistake', () => {
    const night = { cron: '30 1 * * *', startWithin: '2h', takesAtMost: '90m' } as const;
    expect(definePipeline({ ...good, timeZone: 'Asia/Taipei', night }).night).toEqual({
      ...night,
      timeZone: 'Asia/Taipei',
      attemptsMax: 3,
    });
    expect(definePipeline(good).night).toBeUndefined();
    const mistakes = (changes: object): readonly string[] =>
      checkPipeline({
        ...definePipeline(good),
        night: { ...night, timeZone: 'UTC', attemptsMax: 1, ...changes },
      });
    expect(mistakes({ cron: '0 0 29 2 MON-FRI' })).toEqual([]);
    const no = 'is no cron expression of minute, hour, day of month, month, day of week';
    expect(mistakes({ cron: '61 * * * *' })).toEqual([
      `night.cron: '61 * * * *' ${no}: Invalid value for minute: 61`,
    ]);
    for (const cron of ['* * * * * *', '30 1 * *', '@daily', ''])
      expect(mistakes({ cron })).toEqual([`night.cron: '${cron}' ${no}`]);
    expect(mistakes({ cron: '0 0 31 2 *' })).toEqual([
      "night.cron: '0 0 31 2 *' is never: no month has that day",
    ]);
    expect(mistakes({ timeZone: 'Mars/Base', startWithin: '2', takesAtMost: '0m', attemptsMax: 0 })).toEqual([
      "night.timeZone: 'Mars/Base' is unknown",
      "night.startWithin: '2' is no duration above zero; write 30m or 2h",
      "night.takesAtMost: '0m' is no duration above zero; write 30m or 2h",
      'night.attemptsMax: 0 is not a whole number from 1 to 10',
    ]);
  });

  test('with the schemas, fields are checked too', () => {
    const pipeline = definePipeline({
      ...good,
      events: { ...good.events, orders: { schema: 'shop/order', time: 'when', keys: ['userId', 'shopId'] } },
      features: {
        version: 1,
        inputs: { price: field('prise') },
        views: [
          {
            name: 'v',
            version: 1,
            key: 'userId',
            features: {
              shops: distinct({ of: 'orders', value: field('shop'), window: '7d' }),
              returned: share({ of: 'returns', where: field('isReturned'), window: '7d' }),
            },
          },
        ],
      },
    });
    expect(checkPipeline(pipeline, fieldsOf)).toEqual([
      "events.orders: schema 'shop/order' has no field 'when'",
      "features.inputs.price: field('prise') is unknown; there are at, userId, shopId, price",
      "view v.shops.value: field('shop') is unknown; there are at, userId, shopId, price",
    ]);
    expect(
      checkPipeline(pipeline, schema => (schema === 'shop/order' ? fieldsOf(schema) : undefined)),
    ).toContain("events.returns: schema 'shop/return' does not exist");
  });
});
