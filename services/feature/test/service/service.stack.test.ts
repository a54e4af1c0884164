import { afterAll, expect } from '@jest/globals';
import { confluentRegistry } from '@millrace/avro';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { kafkaBroker } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import { stackAddresses, stackTest, uniqueName } from '../../../../test/jest/stack.ts';
import { expectedOf, prepareTown, publish, readVectors, someEvents, startService, until } from './town.ts';

const LIMIT_MS = 60_000;
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

stackTest(
  'on Kafka: each event has one vector through both stages, also when the service is started anew',
  async () => {
    const { kafka, registry: url } = stackAddresses();
    const pipeline = { ...fraud, name: uniqueName('feature'), partitions: 3 };
    const clock = systemClock;
    const client = (clientId: string) => {
      const broker = kafkaBroker({ bootstrapServers: kafka, clientId, logger: noLogger, clock });
      closing.push(() => broker.close());
      return broker;
    };
    const broker = client('test');
    const world = { pipeline, broker, registry: confluentRegistry({ url, clock }) };
    await prepareTown(world);
    closing.push(() => broker.admin.deleteTopics(catalogue([pipeline]).map(({ name }) => name)));

    const events = someEvents(300);
    const half = events.length / 2;
    const first = await startService({ ...world, broker: client('first') }, clock);
    closing.push(() => first.stop());
    const published = [...(await publish(world, events.slice(0, half)))];
    await until(async () => (await readVectors(world)).length > 0, LIMIT_MS);
    await first.stop();
    published.push(...(await publish(world, events.slice(half))));
    const second = await startService({ ...world, broker: client('second') }, clock);
    closing.push(() => second.stop());

    const expected = expectedOf(pipeline, published);
    await until(async () => (await readVectors(world)).length >= expected.size, LIMIT_MS);
    const written = await readVectors(world);
    expect(written.length).toBe(expected.size);
    expect(new Set(written.map(({ value }) => value.eventId)).size).toBe(expected.size);
    for (const { value } of written) {
      const ideal = expected.get(value.eventId)!.values;
      Object.entries(value.features).forEach(([name, found], i) => {
        if (!name.startsWith('terminal')) expect([name, found]).toEqual([name, ideal[i]]);
      });
    }
  },
  3 * LIMIT_MS,
);
