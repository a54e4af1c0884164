import { describe, expect, test } from '@jest/globals';
import { asyncApi, catalogue } from '../../src/index.ts';
import { schemas, shop } from '../pipeline.ts';

interface Document {
  channels: Record<string, { address: string; bindings: { kafka: object } }>;
  operations: Record<string, { action: string }>;
  components: { messages: Record<string, { payload: { schema: unknown } }> };
  servers?: object;
}
const topics = catalogue([shop()], schemas);
const document = asyncApi(topics, { version: '1.0.0' }) as Document;

/** Every place that is pointed at. */
const references = (node: unknown): readonly string[] => {
  if (typeof node !== 'object' || node === null) return [];
  if ('$ref' in node) return [node.$ref as string];
  return Object.values(node).flatMap(references);
};
const at = (path: string): unknown =>
  path
    .slice(2)
    .split('/')
    .reduce<unknown>((node, name) => (node as Record<string, unknown> | undefined)?.[name], document);

describe('the AsyncAPI document', () => {
  test('shows what others may take part in, from our side', () => {
    expect(
      Object.entries(document.operations).map(([id, { action }]) => [document.channels[id]!.address, action]),
    ).toEqual([
      ['shop-orders.orders.v1', 'receive'],
      ['shop-orders.features.v2', 'send'],
      ['shop-orders.predictions.v1', 'send'],
    ]);
  });

  test('carries the registered schemas and the settings of the topics', () => {
    const [events] = topics;
    expect(document.components.messages['shop-orders_orders_v1']!.payload.schema).toEqual(
      JSON.parse(events!.value!.schema),
    );
    expect(document.channels['shop-orders_orders_v1']!.bindings.kafka).toMatchObject({
      partitions: 4,
      topicConfiguration: { 'cleanup.policy': ['delete'], 'retention.ms': 7_776_000_000 },
    });
  });

  test('points at nothing that is not there', () => {
    const all = references(document);
    expect(all.length).toBeGreaterThan(6);
    expect(all.filter(path => at(path) === undefined)).toEqual([]);
  });

  test('names a server only for a deployment', () => {
    expect(document.servers).toBeUndefined();
    const server = { kafka: 'broker:9092', registryUrl: 'http://registry:8081' };
    expect((asyncApi(topics, { version: '1', server }) as Document).servers).toMatchObject({
      kafka: { host: 'broker:9092', bindings: { kafka: { schemaRegistryVendor: 'confluent' } } },
    });
  });
});
