import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { consumerGroup } from '@millrace/contracts';
import { textfileMetrics } from '@millrace/telemetry';
import { until, vectorOf, World, writeModel } from '../harness.ts';
import { nightIn } from '../nightIn.ts';

const ENTITIES = 300;
let world: World;
beforeEach(async () => {
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1_024 });
  await world.alias('1');
});
afterEach(() => world.close());

test('stands still while the stream is behind, and tells it, measures it and writes it down', async () => {
  const told: string[] = [];
  await world.vectors(
    Array.from({ length: ENTITIES }, (_, n) => vectorOf(100 + n, { entity: `client-${n}` })),
  );
  const { pipeline, broker } = world.ground;
  const topics = [world.topics.features];
  const idle = { assigned: async () => undefined, run: () => undefined, failed: () => undefined };
  const stream = await broker.join({ group: consumerGroup('inference', pipeline), topics }, idle);
  const textfile = textfileMetrics();
  const running = nightIn(world, {
    sessionTimeoutMs: 300,
    tell: line => told.push(line),
    yieldsTo: [pipeline],
    lagMax: 100,
    metrics: textfile.metrics,
  });
  await until(() => told.some(line => line.includes('the night waits')), 'the night waits');
  expect([(await world.predictions()).length, await textfile.text()]).toEqual([
    0,
    expect.stringContaining('millrace_night_yielding{pipeline="fraud"} 1'),
  ]);
  await stream.commit(await broker.admin.endOffsets(world.topics.features));
  const { report } = await running;
  expect(told.slice(1)).toEqual([
    `the stream is ${ENTITIES} records behind (more than 100): the night waits`,
    'the stream is 0 records behind: the night goes on',
  ]);
  expect([report.scored, report.waitedMs > 0]).toEqual([ENTITIES, true]);
  expect(await textfile.text()).toMatch(
    /yielding{pipeline="fraud"} 0\n[^]*yields_total{pipeline="fraud"} 1\n/,
  );
  await stream.leave();
});
