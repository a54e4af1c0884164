import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Registry } from '@millrace/avro';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { until, utf8, vectorOf, World, writeModel } from './harness.ts';

const lastId = async (registry: Registry): Promise<number> => {
  for (let id = 1; ; id++) if ((await registry.schemaById(id)) === undefined) return id - 1;
};

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

test('a schema that is registered too late holds its partition, where the pipeline says so, and then goes on', async () => {
  const { ground, topics } = world;
  const held = { ...ground, pipeline: { ...ground.pipeline, rejects: { inference: { 'unknown-schema': 'hold' } } } } as const; // prettier-ignore
  const there = new World(held);
  await there.alias('1');
  writeModel(there.models, { name: 'fraud', version: '1', divisor: 1024 });
  // The frame names an id that nobody has been given yet; what is behind it is a vector all the same.
  const { schema } = catalogue([fraud]).find(({ name }) => name === topics.features)!.value!;
  const late = { ...(JSON.parse(schema) as object), doc: 'Registered after it was used.' };
  const id = 1 + (await lastId(ground.registry));
  const [first, second] = [vectorOf(10), vectorOf(20)];
  const value = Buffer.from((await there.codec<typeof first>(topics.features)).encode(first));
  value.writeUInt32BE(id, 1);
  const key = utf8(first.entity);
  await there.send([
    { topic: topics.features, partition: murmur2Partition(key, fraud.partitions), key, value },
  ]);
  await there.vectors([second]);
  const service = there.start();
  await service.start(new AbortController().signal);
  await until(() => service.notReady?.()?.includes('unknown-schema') === true, 'it holds, and says so');
  expect([await there.predictions(), await there.deadLetters()]).toEqual([[], []]);
  expect(await ground.registry.register('late-value', JSON.stringify(late))).toBe(id);
  expect((await there.scored(2)).map(({ eventId }) => eventId)).toEqual(['event-10', 'event-20']);
  await until(() => service.notReady?.() === undefined, 'ready');
  await service.stop(5_000);
});
