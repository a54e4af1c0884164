import { describe, expect, test } from '@jest/globals';
import { memoryRegistry, openCodec, type Registry } from '@millrace/avro';
import { applySchemas, catalogue, schemaPlan } from '../../src/index.ts';
import { schemas, shop } from '../pipeline.ts';

const topics = catalogue([shop()], schemas);
const SUBJECT = 'shop-orders.orders.v1-value';

/** A registry that counts what is registered. */
const counted = (): { registry: Registry; registered: string[] } => {
  const registry = memoryRegistry();
  const registered: string[] = [];
  const register: Registry['register'] = (subject, schema) => {
    registered.push(subject);
    return registry.register(subject, schema);
  };
  return { registry: { ...registry, register }, registered };
};

describe('schemas: plan and apply', () => {
  test('a plan changes nothing; what it names is registered once, and the codecs open', async () => {
    const { registry, registered } = counted();
    const plan = await schemaPlan(registry, topics);
    expect(plan.map(({ subject, action }) => [subject, action])).toEqual([
      [SUBJECT, 'register'],
      ['shop-orders.orders.v1.aside-value', 'register'],
      ['shop-orders.features.v2-value', 'register'],
      ['shop-orders.features.v2.aside-value', 'register'],
      ['shop-orders.predictions.v1-value', 'register'],
      ['shop-orders.predictions.v1.aside-value', 'register'],
    ]);
    expect(registered).toEqual([]);
    const applied = await applySchemas(registry, plan);
    expect(registered).toEqual(plan.map(({ subject }) => subject));
    expect(applied.every(({ id }) => id !== undefined)).toBe(true);
    for (const { subject, schema } of plan) await openCodec(registry, { subject, schema });

    const again = await schemaPlan(registry, topics);
    expect(again.map(({ action }) => action)).toEqual(plan.map(() => 'none'));
    await applySchemas(registry, again);
    expect(registered).toHaveLength(plan.length);
  });

  test('one refusal, with its reason, holds all back', async () => {
    const { registry, registered } = counted();
    const other = { type: 'record', name: 'Order', namespace: 'shop', fields: [{ name: 'a', type: 'int' }] };
    await registry.register(SUBJECT, JSON.stringify(other));
    registered.length = 0;
    const plan = await schemaPlan(registry, topics);
    expect(plan[0]).toMatchObject({ subject: SUBJECT, action: 'refuse', id: undefined });
    expect(plan[0]!.reason).toContain('eventId');
    expect(await applySchemas(registry, plan)).toEqual(plan);
    expect(registered).toEqual([]);
  });
});
