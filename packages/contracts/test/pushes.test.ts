import { expect, test } from '@jest/globals';
import { Bad, localCodec, memoryRegistry } from '@millrace/avro';
import { answer, eq, field, ge, kpi, multiply, output, type Pipeline, when } from '@millrace/define';
import {
  aclsOf, applySchemas, asyncApi, catalogue, generatedFiles, numericKpis, type PredictionValue, type PushValue, repositorySchemas, schemaPlan,
  type SchemaSource, topicsOf,
} from '../src/index.ts'; // prettier-ignore
import { schemas as shopSchemas, shop } from './pipeline.ts';

const schemas: SchemaSource = path => shopSchemas(path) ?? repositorySchemas(path);
const kpis = {
  loss: multiply(output('a'), field('total')),
  size: when(ge(field('total'), 100), 'large', 'small'),
  item: field('itemId'),
};
const pushes: Pipeline['pushes'] = {
  alerts: {
    description: 'Orders to look at.',
    when: ge(kpi('loss'), 10),
    fields: { loss: kpi('loss'), size: kpi('size'), isYes: eq(answer('decision'), 'yes'), item: field('itemId'), at: field('placedAt') },
  },
  partners: { key: field('itemId'), fields: { score: output('a') } },
}; // prettier-ignore
const pipeline = shop({ kpis, pushes });
const topics = catalogue([pipeline], schemas);
const named = (name: string) => topics.find(topic => topic.name === name)!;
const schemaOf = (name: string) =>
  JSON.parse(named(name).value!.schema) as {
    doc: string;
    fields: { name: string; type: { fields: { name: string; type: unknown; default: unknown }[] } }[];
  };
const fieldsIn = (name: string, field: string) => schemaOf(name).fields.find(one => one.name === field)!.type.fields; // prettier-ignore

test('each has a topic of its own, that inference and nights write and nobody of ours reads', () => {
  expect(topicsOf(pipeline).pushes).toEqual({ alerts: 'shop-orders.alerts.v1', partners: 'shop-orders.partners.v1' }); // prettier-ignore
  expect(named('shop-orders.alerts.v1')).toMatchObject({
    kind: 'pushes', pipeline: 'shop-orders', partitions: 4, key: 'shopId', writers: ['inference', 'cli'], readers: [],
  }); // prettier-ignore
  expect(named('shop-orders.partners.v1').key).toBe('itemId; where that is missing: shopId');
  expect(topics.some(({ name }) => /^shop-orders\.(alerts|partners)\..*(dlq|aside)/.test(name))).toBe(false);
  const rights = (service: string) =>
    aclsOf([pipeline], topics).filter(acl => acl.service === service && acl.name === 'shop-orders.alerts.v1').flatMap(acl => acl.operations); // prettier-ignore
  expect([rights('inference'), rights('sink')]).toEqual([['Write', 'DescribeConfigs'], []]);
  expect(rights('cli')).toContain('Write');
});

test('its values have the kinds that their expressions give, and each may be missing', () => {
  const typed = (name: string) => fieldsIn(name, 'values').map(one => [one.name, one.type, one.default]);
  expect(typed('shop-orders.alerts.v1')).toEqual([
    ['loss', ['null', 'double'], null],
    ['size', ['null', 'string'], null],
    ['isYes', ['null', 'boolean'], null],
    ['item', ['null', 'string'], null],
    ['at', ['null', 'double'], null],
  ]);
  expect(schemaOf('shop-orders.alerts.v1').doc).toMatch(/^Orders to look at\. Key of the topic: shopId\./);
  expect(schemaOf('shop-orders.partners.v1').doc).toContain('Key of the topic: itemId.');
});

test('a figure in words is text that may be missing; the others are numbers, as they were', () => {
  expect(fieldsIn('shop-orders.predictions.v1', 'kpis').map(({ name, type }) => [name, type])).toEqual([
    ['loss', 'double'],
    ['size', ['null', 'string']],
    ['item', ['null', 'string']],
  ]);
  expect(numericKpis(pipeline, schemas)).toEqual(['loss']);
});

test('what can be neither is refused with its place', () => {
  const lineage: SchemaSource = path => {
    const text = shopSchemas(path);
    if (text === undefined) return undefined;
    const event = JSON.parse(text) as { fields: object[] };
    event.fields.push({ name: 'tags', type: { type: 'array', items: 'string' }, doc: 'Tags.' });
    return JSON.stringify(event);
  };
  const refused = (more: Partial<Pipeline>) => () => catalogue([{ ...pipeline, ...more }], lineage);
  expect(refused({ pushes: { alerts: { fields: { tags: field('tags') } } } })).toThrow(
    'shop-orders, pushes.alerts.fields.tags: it rests on a field that is neither a number, text nor true and false',
  );
  expect(refused({ kpis: { mix: when(ge(field('total'), 1), field('itemId'), field('total')) } })).toThrow(
    'shop-orders, kpis.mix: it gives text in one case and a number in another',
  );
});

test('a value and a figure in words that are added can be read from before, and are registered', async () => {
  const registry = memoryRegistry();
  const { size: _, item: __, ...numbers } = kpis;
  const before = { ...pipeline, kpis: numbers, pushes: { alerts: { fields: { loss: kpi('loss') } } } };
  await applySchemas(registry, await schemaPlan(registry, catalogue([before], schemas)));
  const plan = await schemaPlan(registry, topics);
  expect(plan.filter(({ action }) => action === 'refuse')).toEqual([]);
  const ids = (await applySchemas(registry, plan)).filter(({ topic }) => topic.includes('.alerts.'));
  expect(ids.map(({ subject, id }) => [subject, id! > 0])).toEqual([['shop-orders.alerts.v1-value', true]]);
});

test('it is in AsyncAPI and among the generated files', () => {
  const document = asyncApi(topics, { version: '1' }) as { operations: Record<string, { action: string }> };
  expect(document.operations['shop-orders_alerts_v1']!.action).toBe('send');
  const files = generatedFiles([pipeline], schemas).map(({ path }) => path);
  expect(files).toContain('schemas/shop-orders/push.alerts.avsc');
  expect(files).toContain('packages/contracts/src/generated/shop-orders-push-partners.ts');
});

test('a record is what code that serves every pipeline takes it for', () => {
  const value: PushValue = {
    predictionId: 'p', eventId: 'e', revision: 0, sequence: 1, entity: 's', eventTime: 1, scoredAt: 3, decision: 'yes', model: 'm', modelVersion: '1',
    modelDigest: 'd', controlRevision: 1, route: 'r', routeVersion: 1, review: true, fallback: null, late: false, sourceTopic: 't', sourcePartition: 0,
    sourceOffset: 0, runId: 'live', traceparent: null, values: { score: null }, unknown: ['score: missing'],
  }; // prettier-ignore
  const codec = localCodec<PushValue>(named('shop-orders.partners.v1').value!.schema);
  const read = codec.decode(codec.encode(value));
  if (read instanceof Bad) throw new Error(read.message);
  expect(read).toEqual(value);
  // Everything but its values is in the prediction too.
  const fields = new Set(schemaOf('shop-orders.predictions.v1').fields.map(({ name }) => name));
  const own = schemaOf('shop-orders.partners.v1').fields.map(({ name }) => name).filter(name => !fields.has(name)); // prettier-ignore
  expect(own).toEqual(['values', 'unknown'] satisfies (keyof PushValue | keyof PredictionValue)[]);
});
