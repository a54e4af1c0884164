import { describe, expect, test } from '@jest/globals';
import { localCodec } from '@millrace/avro';
import { catalogue, type Topic } from '../src/index.ts';
import { schemas, shop } from './pipeline.ts';

const twoKeys = shop({
  events: { orders: { schema: 'shop/order', time: 'placedAt', keys: ['shopId', 'itemId'] } },
});
const topics = catalogue([twoKeys], path =>
  path.startsWith('millrace/')
    ? '{"type":"record","name":"X","fields":[{"name":"a","type":"int"}]}'
    : schemas(path),
);
const named = (name: string): Topic => topics.find(topic => topic.name === name)!;
const DAY_MS = 86_400_000;

describe('the catalogue', () => {
  test('holds every topic of the pipeline and of the house once', () => {
    const read = [
      'shop-orders.orders.v1',
      'shop-orders.features.v2',
      'shop-orders.predictions.v1',
      'shop-orders.deferred.v1',
      'shop-orders.feature.v2.item-id.repartition',
      'shop-orders.feature.v2.release.repartition',
    ];
    expect(topics.map(topic => topic.name).toSorted()).toEqual(
      [
        ...read,
        ...read.map(name => `${name}.dlq`),
        'shop-orders.orders.v1.aside',
        'shop-orders.features.v2.aside',
        'shop-orders.predictions.v1.aside',
        'shop-orders.deferred.v1.aside',
        'shop-orders.feature.v2.state.changelog',
        'shop-orders.feature.v2.progress',
        'shop-orders.feature.v2.epochs',
        'millrace.control.v1',
        'millrace.features.v1',
        'millrace.audit.v1',
        'millrace.models.v1',
        'millrace.lineage.v1',
        'millrace.runs.v1',
        'millrace.redrives.v1',
      ].toSorted(),
    );
  });

  test('gives all topics of a pipeline its partitions, dead letters too, and the house one each', () => {
    for (const topic of topics) expect(topic.partitions).toBe(topic.pipeline === undefined ? 1 : 4);
  });

  test('counts time from arrival and asks for what we can read', () => {
    for (const { config } of topics)
      expect(config).toMatchObject({ 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'uncompressed' }); // prettier-ignore
  });

  test('compacts what is read as a table, and what is read record by record only after a week', () => {
    const compacted = topics.filter(({ config }) => config['cleanup.policy'] === 'compact');
    expect(compacted.map(({ name }) => name).toSorted()).toEqual([
      'millrace.control.v1',
      'millrace.features.v1',
      'shop-orders.feature.v2.progress',
      'shop-orders.feature.v2.state.changelog',
      'shop-orders.features.v2',
    ]);
    const lagging = compacted.filter(({ config }) => config['min.compaction.lag.ms'] === String(7 * DAY_MS));
    expect(lagging.map(({ name }) => name)).toEqual(['shop-orders.features.v2']);
  });

  test('keeps events longer than any window reaches, and the audit for ever', () => {
    expect(Number(named('shop-orders.orders.v1').config['retention.ms'])).toBeGreaterThan(37 * DAY_MS);
    expect(named('millrace.audit.v1').config).toMatchObject({ 'cleanup.policy': 'delete', 'retention.ms': '-1' }); // prettier-ignore
  });

  test('names a usable schema for what carries Avro, and none for dead letters', () => {
    const without = topics.filter(({ value }) => value === undefined).map(({ name }) => name);
    expect(without.filter(name => !name.endsWith('.dlq'))).toEqual([
      'shop-orders.feature.v2.state.changelog',
      'millrace.audit.v1',
      'millrace.models.v1',
      'millrace.lineage.v1',
    ]);
    for (const { name, value } of topics)
      if (value !== undefined) {
        localCodec(value.schema);
        expect(value.subject).toBe(`${name}-value`);
      }
  });

  test('what lies aside of a topic has its partitions, schema and readers, and is never compacted', () => {
    for (const name of ['orders.v1', 'features.v2', 'predictions.v1'].map(end => `shop-orders.${end}`)) {
      const [topic, aside] = [named(name), named(`${name}.aside`)];
      expect(aside).toMatchObject({ partitions: topic.partitions, readers: topic.readers, key: topic.key });
      expect(aside.value).toEqual({ subject: `${name}.aside-value`, schema: topic.value!.schema });
      expect(aside.config['cleanup.policy']).toBe('delete');
      expect(aside.writers).toContain('cli');
    }
    expect(named('shop-orders.orders.v1.aside').writers).toEqual(['cli']);
  });

  test('says who writes and who reads', () => {
    expect(named('shop-orders.features.v2')).toMatchObject({ writers: ['feature'], readers: ['inference', 'cli'], key: 'shopId' }); // prettier-ignore
    expect(named('shop-orders.features.v2.dlq').writers).toEqual(['inference', 'cli']);
    expect(named('shop-orders.feature.v2.item-id.repartition').key).toContain('itemId');
  });

  test('refuses a missing event schema and two pipelines of one name', () => {
    expect(() => catalogue([shop()], () => undefined)).toThrow("there is no schema 'shop/order'");
    expect(() => catalogue([shop(), shop()], schemas)).toThrow("'shop-orders.orders.v1' is claimed twice");
  });
});
