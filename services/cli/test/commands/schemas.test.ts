import { expect, test } from '@jest/globals';
import { memoryRegistry } from '@millrace/avro';
import { catalogue, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { applyTopicPlan, registerSchemas } from '../../src/commands/schemas.ts';
import type { World } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

const makeWorld = (): World => {
  const clock = turnedClock(1_000_000);
  return { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
};
const ALL = catalogue([fraud]);

test('topics: a plan changes nothing, executing creates them, doing it again finds nothing to do', async () => {
  const world = makeWorld();
  const plan = fakeIo();
  expect(await applyTopicPlan(plan, world, [fraud], { execute: false, output: 'json' })).toBe(0);
  const rows = JSON.parse(plan.data[0]!) as { topic: string; action: string }[];
  expect(rows).toHaveLength(ALL.length);
  expect(rows.every(row => row.action === 'create')).toBe(true);
  expect(await world.broker.admin.describeTopics()).toEqual([]);
  expect(plan.said.join()).toContain('--execute');

  await applyTopicPlan(fakeIo(), world, [fraud], { execute: true, output: 'json' });
  const features = (await world.broker.admin.describeTopics([topicsOf(fraud).features]))[0]!;
  expect(features.partitions).toBe(6);
  expect(features.config).toMatchObject({
    'cleanup.policy': 'compact',
    'message.timestamp.type': 'LogAppendTime',
  });

  const again = fakeIo();
  await applyTopicPlan(again, world, [fraud], { execute: true, output: 'table' });
  expect(again.said).toEqual(['Nothing to change.']);
});

test('another number of partitions is refused with the reason, and nothing is done', async () => {
  const world = makeWorld();
  await world.broker.admin.createTopics([{ name: topicsOf(fraud).features, partitions: 3 }]);
  const io = fakeIo();
  expect(await applyTopicPlan(io, world, [fraud], { execute: true, output: 'table' })).toBe(1);
  expect(io.said.join('\n')).toContain('it has 3 partitions and the definition says 6');
  expect(await world.broker.admin.describeTopics()).toHaveLength(1);
});

test('schemas: planned, registered once, an incompatible one refused with the reason', async () => {
  const world = makeWorld();
  const plan = fakeIo();
  await registerSchemas(plan, world, [fraud], { execute: false, output: 'json' });
  expect((JSON.parse(plan.data[0]!) as { action: string }[]).every(row => row.action === 'register')).toBe(
    true,
  );
  await registerSchemas(fakeIo(), world, [fraud], { execute: true, output: 'json' });
  const again = fakeIo();
  await registerSchemas(again, world, [fraud], { execute: true, output: 'json' });
  expect(again.said).toEqual(['Nothing to change.']);

  const other = makeWorld();
  await other.registry.setCompatibility('BACKWARD');
  const subject = `${topicsOf(fraud).scored}-value`;
  await other.registry.register(
    subject,
    JSON.stringify({ type: 'record', name: 'Transaction', namespace: 'millrace.fraud', fields: [] }),
  );
  const io = fakeIo();
  expect(await registerSchemas(io, other, [fraud], { execute: true, output: 'table' })).toBe(1);
  expect(io.said.join('\n')).toContain(`refused: ${subject}`);
});
