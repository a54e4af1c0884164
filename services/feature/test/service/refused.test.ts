import { afterEach, describe, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { deadLetterTopic, topicsOf, valueSubject } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import type { SimulatedEvent } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import {
  openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until, valueOf,
} from './town.ts'; // prettier-ignore

const running: RunningService[] = [];
const towns: Town[] = [];

async function runningTown(pipeline: Pipeline = testPipeline): Promise<Town> {
  const at = await openTown(pipeline);
  towns.push(at);
  running.push(await startService(at, at.clock));
  return at;
}

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

const payments = someEvents(40).filter(({ stream }) => stream === 'transactions');
const changed = (event: SimulatedEvent, change: object): SimulatedEvent =>
  ({ ...event, value: { ...event.value, ...change } }) as SimulatedEvent;

async function sendRaw(
  at: Town,
  records: readonly { key: Uint8Array | null; value: Uint8Array | null; partition: number }[],
): Promise<void> {
  const producer = await at.broker.producer();
  const topic = topicsOf(at.pipeline).scored;
  await producer.send(records.map(record => ({ topic, ...record })));
  await producer.close();
}

async function deadLetters(at: Town): Promise<readonly string[]> {
  const topic = deadLetterTopic(topicsOf(at.pipeline).scored);
  const found: string[] = [];
  const until = await at.broker.admin.endOffsets(topic);
  for await (const run of at.broker.read({ from: { topic, at: 'beginning' }, until }))
    for (let i = 0; i < run.length; i++)
      found.push(
        run
          .headers(i)
          .map(([, value]) => Buffer.from(value).toString())
          .join(' '),
      );
  return found;
}

const count = async (at: Town): Promise<number> => (await readVectors(at)).length;

describe('what gets no vector', () => {
  test('bad bytes, foreign keys and foreign partitions go to the dead letters, and the rest goes on', async () => {
    const at = await runningTown();
    const [one, two] = payments as [SimulatedEvent, SimulatedEvent];
    const topic = topicsOf(at.pipeline).scored;
    const latest = (await at.registry.latest(valueSubject(topic)))!;
    const codec = await openCodec<Record<string, unknown>>(at.registry, {
      subject: valueSubject(topic),
      schema: latest.schema,
    });
    const value = codec.encode(valueOf(one));
    const key = Buffer.from(one.value.customerId);
    const partition = murmur2Partition(key, at.pipeline.partitions);
    await sendRaw(at, [
      { key, value: Buffer.from('no frame at all'), partition },
      { key: null, value, partition },
      { key: Buffer.from('somebody else'), value, partition },
      { key, value, partition: (partition + 1) % at.pipeline.partitions },
      { key, value: null, partition },
      { key, value: codec.encode({ ...valueOf(one), txAt: at.clock.now() + 3 * 86_400_000 }), partition },
    ]);
    await publish(at, [one, two]);
    await until(async () => (await count(at)) === 2 && (await deadLetters(at)).length === 5);
    const reasons = await deadLetters(at);
    for (const reason of ['bad-frame', 'wrong-key', 'bad-value'])
      expect(reasons.some(text => text.includes(reason))).toBe(true);
    // What is to be done stands in the letter itself.
    expect(reasons.join(' ')).toContain('partitioner=murmur2_random');
    expect(reasons.join(' ')).toContain('more than a day ahead');
    expect(reasons.join(' ')).not.toContain(one.value.customerId);
  });

  test('the largest record that a broker takes has a letter, and so has an event that would outgrow it on its way', async () => {
    const at = await runningTown();
    const [one] = payments as [SimulatedEvent];
    const topic = topicsOf(at.pipeline).scored;
    const { schema } = (await at.registry.latest(valueSubject(topic)))!;
    const codec = await openCodec<Record<string, unknown>>(at.registry, { subject: valueSubject(topic), schema });
    const encode = (change: object): Uint8Array => codec.encode(valueOf(changed(one, change)));
    const placed = (key: Buffer, value: Uint8Array) => ({ key, value, partition: murmur2Partition(key, at.pipeline.partitions) }); // prettier-ignore
    const [key, long, long1] = [one.value.customerId, 'c'.repeat(262_080), 'c'.repeat(1_025)].map(text => Buffer.from(text)) as [Buffer, Buffer, Buffer]; // prettier-ignore
    await sendRaw(at, [
      placed(key, Buffer.alloc(1_048_576 - 80 - key.length, 'x')),
      placed(long, encode({ customerId: long.toString(), terminalId: 't'.repeat(262_080), eventId: 'e'.repeat(262_080) })),
      placed(long1, encode({ customerId: long1.toString() })),
    ]);
    await publish(at, [one]);
    await until(async () => (await count(at)) === 1 && (await deadLetters(at)).length === 3);
    const reasons = (await deadLetters(at)).join(' ');
    expect(reasons).toContain('bad-frame');
    expect(reasons).toContain('at most 524288 are allowed');
    expect(reasons).toContain('the key has 1025 bytes; at most 1024 are allowed');
  }); // prettier-ignore

  test('an event that comes twice counts once and is answered once', async () => {
    const at = await runningTown();
    await publish(at, [...payments.slice(0, 10), ...payments.slice(0, 10), ...payments.slice(10, 12)]);
    await until(async () => (await count(at)) >= 12);
    const ids = (await readVectors(at)).map(({ value }) => value.eventId);
    expect(ids.length).toBe(new Set(ids).size);
  });

  test('a correction takes the place of what it corrects; a withdrawn event counts no more', async () => {
    const at = await runningTown();
    const base = payments[0]!;
    const { txAt } = base.value;
    const of = (eventId: string, minutes: number, change: object = {}): SimulatedEvent =>
      changed(base, { eventId, txAt: txAt + minutes * 60_000, sequence: minutes, amount: 100, ...change });
    await publish(
      at,
      [
        of('a', 0),
        of('b', 1),
        of('a', 0, { revision: 1, amount: 50 }),
        of('c', 2),
        of('b', 1, { revision: 1, withdrawn: true }),
        of('d', 3),
      ],
      60,
    ); // each in an epoch of its own
    await until(async () => (await count(at)) >= 5);
    const found = (await readVectors(at)).map(({ value, topic }) => [
      value.eventId,
      value.revision,
      value.features['customerTxCount1d'],
      value.features['customerAvgAmount1d'],
      topic.endsWith('.aside'),
      value.late,
    ]);
    expect(found).toEqual(
      expect.arrayContaining([
        ['a', 0, 1, 100, false, false],
        ['b', 0, 2, 100, false, false],
        ['a', 1, 1, 50, true, true],
        ['c', 0, 3, 250 / 3, false, false].map(x => (typeof x === 'number' ? Math.fround(x) : x)),
        ['d', 0, 3, 250 / 3, false, false].map(x => (typeof x === 'number' ? Math.fround(x) : x)),
      ]),
    );
    expect(found.length).toBe(5);
  });
});

describe('a pipeline with one key', () => {
  const oneKey: Pipeline = {
    ...testPipeline,
    features: {
      ...testPipeline.features,
      views: testPipeline.features.views.filter(({ key }) => key !== 'terminalId'),
    },
  };

  test('answers without epochs, and writes to no other stage', async () => {
    const at = await runningTown(oneKey);
    await publish(at, payments, 0);
    await until(async () => (await count(at)) === payments.length);
    const { repartition, release, progress } = topicsOf(oneKey);
    for (const topic of [...Object.values(repartition), release!, progress])
      expect((await at.broker.admin.endOffsets(topic)).every(({ offset }) => offset === 0)).toBe(true);
    const newest = (await readVectors(at)).reduce((a, b) =>
      a.value.sourceOffset > b.value.sourceOffset ? a : b,
    );
    expect(newest.value.features['customerTxCount30d']).toBeGreaterThan(0);
  });

  test('without a view it knows duplicates all the same', async () => {
    const at = await runningTown({ ...testPipeline, features: { ...testPipeline.features, views: [] } });
    await publish(at, [...payments, ...payments], 0);
    const [last] = payments.slice(-1) as [SimulatedEvent];
    await publish(at, [changed(last, { eventId: 'last', txAt: last.value.txAt + 1 })], 0);
    await until(async () => (await readVectors(at)).some(({ value }) => value.eventId === 'last'));
    await until(async () => (await count(at)) >= payments.length + 1);
    expect(await count(at)).toBe(payments.length + 1);
  });
});
