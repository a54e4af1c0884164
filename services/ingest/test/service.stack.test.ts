import { afterAll, expect } from '@jest/globals';
import { confluentRegistry, openCodec } from '@millrace/avro';
import { applySchemas, catalogue, schemaPlan, topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { Readiness } from '@millrace/runtime';
import { kafkaBroker, murmur2Partition } from '@millrace/stream';
import { noLogger, noTracing, systemClock, systemRandom } from '@millrace/telemetry';
import { stackAddresses, stackTest, uniqueName } from '../../../test/jest/stack.ts';
import { INGEST_DEFAULTS, ingestService } from '../src/index.ts';
import { AUTH, countingMetrics, KEY, transaction } from './harness.ts';

const LIMIT_MS = 60_000;
const REQUESTS = 40;
const EVENTS_EACH = 25;
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

stackTest(
  'on Kafka and the registry: what was answered 202 stands on the topic once, in its partition, as it was sent',
  async () => {
    const { kafka, registry: url } = stackAddresses();
    const clock = systemClock;
    const pipeline = { ...fraud, name: uniqueName('ingest'), partitions: 3 };
    const topic = topicsOf(pipeline).events['transactions']!;
    const broker = kafkaBroker({ bootstrapServers: kafka, clientId: 'test', logger: noLogger, clock });
    closing.push(() => broker.close());
    const registry = confluentRegistry({ url, clock });
    const topics = catalogue([pipeline]).filter(one => one.kind === 'events');
    await broker.admin.createTopics(
      topics.map(({ name, partitions, config }) => ({ name, partitions, config })),
    );
    closing.push(() => broker.admin.deleteTopics(topics.map(one => one.name)));
    await applySchemas(registry, await schemaPlan(registry, topics));
    const world = { broker, registry, clock, random: systemRandom, logger: noLogger, tracing: noTracing };
    const service = ingestService({
      ...world,
      pipelines: [pipeline],
      readiness: new Readiness(),
      metrics: countingMetrics().metrics,
      version: '0.0.1',
      config: { ...INGEST_DEFAULTS, host: '127.0.0.1', port: 0, apiKeys: [{ name: 'till', key: KEY }] },
    });
    await service.start(new AbortController().signal);
    closing.push(() => service.stop(5_000));

    const post = async (request: number): Promise<unknown> => {
      const events = Array.from({ length: EVENTS_EACH }, (_, i) =>
        transaction({ eventId: `e-${request}-${i}`, customerId: `c${i}`, sequence: request }),
      );
      const answer = await fetch(`http://127.0.0.1:${service.port()}/v1/${pipeline.name}/transactions`, {
        method: 'POST',
        headers: { ...AUTH, 'content-type': 'application/json' },
        body: JSON.stringify(events),
      });
      const { accepted } = (await answer.json()) as { accepted: number };
      return [answer.status, accepted];
    };
    const answers = await Promise.all(Array.from({ length: REQUESTS }, (_, request) => post(request)));
    expect(answers).toEqual(answers.map(() => [202, EVENTS_EACH]));

    const { value } = topics.find(one => one.name === topic)!;
    const codec = await openCodec<Record<string, unknown>>(registry, value!);
    const ids = new Map<unknown, number>();
    const until = await broker.admin.endOffsets(topic);
    for await (const run of broker.read({ from: { topic, at: 'beginning' }, until }))
      for (let i = 0; i < run.length; i++) {
        const event = codec.decode(run.value(i)!) as Record<string, unknown>;
        ids.set(event['eventId'], (ids.get(event['eventId']) ?? 0) + 1);
        expect(event).toMatchObject({ amount: 12.5, lineage: { producer: 'till' } });
        expect(Buffer.from(run.key(i)!).toString()).toBe(event['customerId']);
        expect(run.partition).toBe(murmur2Partition(run.key(i)!, 3));
      }
    expect(ids.size).toBe(REQUESTS * EVENTS_EACH);
    expect(new Set(ids.values())).toEqual(new Set([1]));
  },
  LIMIT_MS,
);
