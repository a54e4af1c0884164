import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  add, answer, type AnswerName, checkPipeline, compileExpression, constant, count, definePipeline, eq, type Expression, feature, field, ge, isMissing,
  isRoutes, kpi, kindOf, multiply, not, or, output, type Pipeline, type Push, routeMistakes, threshold, when,
} from '../src/index.ts'; // prettier-ignore

const FIELDS = new Set(['at', 'userId', 'price', 'note']);
const fieldsOf = (schema: string) => (schema === 'shop/order' ? FIELDS : undefined);
const shop = (more: Partial<Pipeline> = {}): Pipeline => ({
  ...definePipeline({
    name: 'shop',
    entity: 'userId',
    scores: 'orders',
    events: { orders: { schema: 'shop/order', time: 'at', keys: ['userId'] } },
    features: { version: 1, inputs: { price: field('price') }, views: [{ name: 'by-user', version: 1, key: 'userId', features: { orders1d: count({ of: 'orders', window: '1d' }) } }] },
    model: { name: 'shop', outputs: ['score'], fallback: [] },
    thresholds: { high: 0.5 },
    decisions: [{ name: 'stop', when: ge(output('score'), threshold('high')) }, { name: 'go' }],
    kpis: { loss: multiply(output('score'), field('price')) },
  }),
  ...more,
}); // prettier-ignore
const mistakes = (more: Partial<Pipeline>): readonly string[] => checkPipeline(shop(more), fieldsOf);
const push = (more: Partial<Push> = {}): Partial<Pipeline> => ({
  pushes: { alerts: { fields: { price: field('price') }, ...more } },
});

describe('pushes', () => {
  test('read the event, the vector, the score, thresholds, business figures and the answer', () => {
    const when = or(eq(answer('decision'), 'stop'), ge(kpi('loss'), threshold('high')));
    const fields = { a: output('score'), b: feature('orders1d'), c: field('note'), d: kpi('loss'), e: answer('fallback'), f: not(answer('late')) }; // prettier-ignore
    expect(mistakes(push({ when, key: field('note'), fields }))).toEqual([]);
  });

  test('every mistake is told with its place', () => {
    expect(mistakes(push({ when: ge(kpi('cost'), 1), key: field('shop'), fields: { 'a-b': answer('colour' as AnswerName) } }))).toEqual([
      "pushes.alerts.when: kpi('cost') is unknown; there are loss",
      "pushes.alerts.key: field('shop') is unknown; there are at, userId, price, note",
      "pushes.alerts.fields: 'a-b' is not a plain identifier",
      "pushes.alerts.fields.a-b: answer('colour') is unknown; there are decision, route, review, fallback, runId, late",
    ]); // prettier-ignore
    expect(mistakes(push({ fields: {} }))).toEqual(['pushes.alerts: it has 0 fields, not 1 to 64']);
    const many = (n: number, of: (i: number) => string): Record<string, never> =>
      Object.fromEntries(Array.from({ length: n }, (_, i) => [of(i), field('price') as never]));
    expect(mistakes(push({ fields: many(65, i => `f${i}`) }))).toEqual(['pushes.alerts: it has 65 fields, not 1 to 64']); // prettier-ignore
    const pushes = Object.fromEntries(Object.keys(many(17, i => `p${i}`)).map(name => [name, { fields: { a: field('price') } }])); // prettier-ignore
    expect(mistakes({ pushes })).toEqual(['pushes: there are 17, more than 16']);
    expect(mistakes(push({ fields: { a: when(field('note'), 'text', 1) } }))).toEqual([
      'pushes.alerts.fields.a: it gives text in one case and a number in another: let every case give the same',
    ]);
  });

  test.each(['orders', 'predictions', 'deferred', 'reviews', 'features'])('none is called %s: there is such a topic', name => {
    expect(mistakes({ pushes: { [name]: { fields: { a: field('price') } } } })).toEqual([
      `pushes.${name}: a topic of the pipeline has this name`,
    ]);
  }); // prettier-ignore

  test('decisions read business figures; figures, routes and features read neither those nor the answer', () => {
    const decisions = [{ name: 'stop', when: ge(kpi('loss'), 100) }, { name: 'go' }];
    expect(mistakes({ decisions })).toEqual([]);
    expect(mistakes({ decisions: [{ name: 'stop', when: eq(answer('late'), true) }, { name: 'go' }] })).toEqual([
      "decisions.stop: answer('late') has no meaning here",
    ]); // prettier-ignore
    expect(mistakes({ kpis: { loss: kpi('loss') } })).toEqual(["kpis.loss: kpi('loss') has no meaning here"]);
    expect(mistakes({ kpis: { loss: when(field('note'), 'a', 1) } })).toEqual([
      'kpis.loss: it gives text in one case and a number in another: let every case give the same',
    ]);
    const all = { name: 'all', to: 'night' } as const;
    expect(routeMistakes(shop(), [{ name: 'a', to: 'stream', when: ge(kpi('loss'), 1) }, all])).toEqual([
      "routes.a: kpi('loss') has no meaning here",
    ]);
  });
});

describe('rules', () => {
  test('ask for a review, and for nothing that nobody can do', () => {
    const rule = { name: 'all', to: 'stream' } as const;
    expect(routeMistakes(shop(), [{ ...rule, review: true }])).toEqual([]);
    expect(routeMistakes(shop(), [{ ...rule, lane: 'gpu' } as typeof rule])).toEqual([
      "routes.all: a rule can say nothing about 'lane'; there are name, to, when, review, engine",
    ]);
  });

  test('choose what the model runs on, among what there is', () => {
    const rule = { name: 'all', to: 'stream' } as const;
    expect(routeMistakes(shop(), [{ ...rule, engine: 'gpu' }])).toEqual([]);
    const other = { ...rule, engine: 'tpu' as 'gpu' };
    const mistake = "routes.all: engine 'tpu' is unknown; there are cpu, gpu";
    expect(routeMistakes(shop(), [other])).toEqual([mistake]);
    expect(mistakes({ routes: [other] })).toEqual([mistake]);
    expect(isRoutes([{ ...rule, engine: 1 }])).toBe(false);
  });
});

describe('kindOf', () => {
  const leaf = fc.constantFrom<Expression>(
    constant(1), constant('text'), constant(true), field('number'), field('text'), field('flag'), feature('f'), threshold('t'), answer('route'), answer('late'),
  ); // prettier-ignore
  const { tree } = fc.letrec<{ tree: Expression }>(tie => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      leaf,
      fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => add(a, b)),
      fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ge(a, b)),
      tie('tree').map(a => isMissing(a)),
      fc.tuple(tie('tree'), tie('tree'), tie('tree')).map(([a, b, c]) => when(a, b, c)),
    ),
  }));

  test('is what the expression gives, missing left out', () => {
    const values: Readonly<Record<string, unknown>> = { number: 3, text: 'x', flag: false };
    const env = {
      timeZone: 'UTC',
      field: (name: string) => () => values[name],
      feature: () => () => 2,
      threshold: () => () => 0.5,
      answer: (name: AnswerName) => () => (name === 'late' ? true : 'default'),
    };
    const kinds = { number: 'number', text: 'text', flag: 'flag' } as const;
    fc.assert(
      fc.property(tree, e => {
        const kind = kindOf(e, { field: name => kinds[name as keyof typeof kinds] });
        const value = compileExpression(e, env)(undefined);
        if (kind === 'mixed' || Number.isNaN(value)) return;
        // By turns a number or a flag is a number.
        const allowed = { text: ['string'], flag: ['boolean'], number: ['number', 'boolean'], unknown: [] };
        expect(allowed[kind]).toContain(typeof value);
      }),
    );
  });
});
