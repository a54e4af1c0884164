import { expect } from '@jest/globals';
import { confluentRegistry, openCodec } from '@millrace/avro';
import { describeStack, stackAddresses, stackTest, uniqueName } from '../../../../test/jest/stack.ts';
import { systemClock } from '../../../telemetry/src/index.ts';
import { applySchemas, catalogue, schemaPlan } from '../../src/index.ts';
import { schemas, shop } from '../pipeline.ts';

describeStack('schemas on the real registry', () => {
  stackTest('are planned, registered and found again; an incompatible one is refused', async () => {
    const registry = confluentRegistry({ url: stackAddresses().registry, clock: systemClock });
    await registry.setCompatibility('BACKWARD');
    const name = uniqueName('shop');
    const topics = catalogue([shop({ name })], schemas);
    const plan = await schemaPlan(registry, topics);
    expect(plan.map(({ action }) => action)).toEqual(plan.map(() => 'register'));
    await applySchemas(registry, plan);
    const again = await schemaPlan(registry, topics);
    expect(again.map(({ action }) => action)).toEqual(plan.map(() => 'none'));
    for (const { subject, schema } of plan) await openCodec(registry, { subject, schema });

    const changed = catalogue([shop({ name })], path => schemas(path)?.replace('"total"', '"sum"'));
    const [events] = await schemaPlan(registry, changed);
    expect(events).toMatchObject({ subject: `${name}.orders.v1-value`, action: 'refuse' });
    expect(events!.reason).toContain('sum');
  });
});
