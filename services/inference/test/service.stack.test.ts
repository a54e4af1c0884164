import { afterAll, expect } from '@jest/globals';
import { confluentRegistry } from '@millrace/avro';
import { catalogue } from '@millrace/contracts';
import { hashFeatureSet } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { stackAddresses, stackTest, uniqueName } from '../../../test/jest/stack.ts';
import { POISON, until, vectorOf, World, writeModel } from './harness.ts';

const LIMIT_MS = 60_000;
const ROWS = 600;
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

stackTest(
  'on Kafka: two instances share the work, each vector is answered, a stop in the middle loses and doubles nothing',
  async () => {
    const { kafka, registry: url } = stackAddresses();
    const clock = systemClock;
    const pipeline = { ...fraud, name: uniqueName('inference'), partitions: 3 };
    const connect = () => {
      const broker = kafkaBroker({ bootstrapServers: kafka, clientId: 'test', logger: noLogger, clock });
      closing.push(() => broker.close());
      return broker;
    };
    const world = await World.open({
      pipeline,
      registry: confluentRegistry({ url, clock }),
      broker: connect(),
      connect,
    });
    closing.push(() => world.close());
    closing.push(() => {
      const own = catalogue([pipeline]).filter(topic => topic.pipeline === pipeline.name);
      return world.ground.broker.admin.deleteTopics(own.map(({ name }) => name));
    });
    const featureSet = { pipeline: pipeline.name, version: 1, hash: hashFeatureSet(pipeline) };
    writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024, changes: { featureSet } });
    await world.alias('1');

    const signal = new AbortController().signal;
    const [first, second] = [world.start(), world.start({ instance: 'second' })];
    await Promise.all([first.start(signal), second.start(signal)]);
    const ready = async (service: typeof first): Promise<void> => {
      for (let tries = 0; tries < 200 && service.notReady?.() !== undefined; tries++) await clock.sleep(50);
      expect(service.notReady?.()).toBeUndefined();
    };
    await Promise.all([ready(first), ready(second)]);
    const vectors = Array.from({ length: ROWS }, (_, i) => vectorOf(100 + i));
    await world.vectors([...vectors.slice(0, ROWS / 2), vectorOf(POISON, { entity: 'poison' })]);
    await world.scored(1);
    await first.stop(5_000);
    await world.vectors(vectors.slice(ROWS / 2));

    await until(async () => (await world.predictions()).length >= ROWS, 'every vector is answered');
    const found = await world.predictions();
    expect(found.map(one => one.eventId).sort()).toEqual(vectors.map(vector => vector.eventId).sort());
    for (const one of found) {
      expect(one.outputs).toEqual({ score: Math.fround(one.sequence / 1024) });
      expect(one).toMatchObject({ model: 'fraud', modelVersion: '1', fallback: null });
    }
    await until(async () => (await world.deadLetters()).length > 0, 'the poison is a dead letter');
    expect((await world.deadLetters()).map(([key]) => key)).toEqual(['poison']);
  },
  3 * LIMIT_MS,
);
