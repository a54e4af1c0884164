/** Late events as dead letters, where the pipeline wants it so. Which they are hangs on the order of each customer alone. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { asideTopic, catalogue, deadLetterTopic, redriveHeaders, topicsOf } from '@millrace/contracts';
import { featureView, field, type Pipeline, share } from '@millrace/define';
import type { SimulatedEvent } from '@millrace/pipelines';
import type { Broker, OutRecord } from '@millrace/stream';
import {
  diedBefore, doomed, openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until,
} from './town.ts'; // prettier-ignore

const DAY_MS = 86_400_000;
/** Wider than an epoch, so that events are folded in the order in which they come. */
const GAP_MS = 25;

const running: RunningService[] = [];
const towns: Town[] = [];
const town = async (pipeline: Pipeline): Promise<Town> => {
  const opened = await openTown(pipeline);
  towns.push(opened);
  return opened;
};
const start = async (at: Town, broker: Broker = at.broker): Promise<RunningService> => {
  const service = await startService({ ...at, broker }, at.clock, { sessionTimeoutMs: 200 });
  running.push(service);
  return service;
};
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

type Payment = Extract<SimulatedEvent, { stream: 'transactions' }> & {
  readonly value: { readonly revision?: number; readonly withdrawn?: boolean };
};
const payments = someEvents(150).filter((event): event is Payment => event.stream === 'transactions');
const byCustomer = [...Map.groupBy(payments, ({ value }) => value.customerId).values()];
const changed = (event: Payment, change: object): Payment => ({
  ...event,
  value: { ...event.value, ...change },
});

/** What one customer's producer sends: some come behind newer ones, some again, some are corrected or withdrawn later. */
const sent = (own: readonly Payment[]): Payment[] => {
  const held = own.filter((_, i) => i % 4 === 1);
  const course = own.filter((_, i) => i % 4 !== 1);
  held.forEach((event, i) => course.splice(Math.min(course.length, 3 * i + 3), 0, event));
  const [first, second, third] = own.filter((_, i) => i % 4 !== 1);
  if (third === undefined) return course;
  return [...course, first!, changed(second!, { revision: 1 }), changed(third, { revision: 1, withdrawn: true }), ...held.slice(0, 1)];
}; // prettier-ignore

/** The customers' courses in one, each in its order: whose turn it is goes by the seed. */
const course = (seed: number): readonly Payment[] => {
  const queues = byCustomer.map(sent);
  const all: Payment[] = [];
  let state = seed;
  while (queues.some(queue => queue.length > 0)) {
    state = (state * 48_271) % 2_147_483_647;
    const left = queues.filter(queue => queue.length > 0);
    all.push(left[state % left.length]!.shift()!);
  }
  return all;
};

/** By a plain look through each customer's course: what is refused, and how many payments the others see in a week. */
const plain = (events: readonly Payment[]): { late: string[]; counts: Map<string, number> } => {
  const late: string[] = [];
  const counts = new Map<string, number>();
  const taken = new Map<string, Payment>();
  for (const event of events) {
    const { eventId, customerId, txAt, revision = 0, withdrawn = false } = event.value;
    const own = [...taken.values()].filter(({ value }) => value.customerId === customerId);
    const before = taken.get(eventId);
    if (before === undefined && own.some(({ value }) => value.txAt > txAt)) {
      late.push(eventId);
      continue;
    }
    if (before !== undefined && revision <= (before.value.revision ?? 0)) continue;
    taken.set(eventId, event);
    const within = [...taken.values()].filter(({ value }) =>
      value.customerId === customerId && value.withdrawn !== true && value.txAt > txAt - 7 * DAY_MS && value.txAt <= txAt); // prettier-ignore
    if (!withdrawn) counts.set(`${eventId} ${revision}`, within.length);
  }
  return { late: late.toSorted(), counts };
};

const LETTERS = deadLetterTopic(topicsOf(testPipeline).scored);
interface Letter {
  readonly eventId: string;
  readonly reason: string;
  readonly record: OutRecord;
}
/** With what sends each of them again. */
const letters = async ({ broker, registry, pipeline }: Town): Promise<readonly Letter[]> => {
  const { scored } = topicsOf(pipeline);
  const codec = await openCodec<{ eventId: string }>(registry, catalogue([pipeline]).find(t => t.name === scored)!.value!);
  const found: Letter[] = [];
  const end = await broker.admin.endOffsets(LETTERS);
  for await (const run of broker.read({ from: { topic: LETTERS, at: 'beginning' }, until: end }))
    for (let i = 0; i < run.length; i++) {
      const text = (name: string): string => Buffer.from(run.header(i, `__dlq.errors.${name}`) ?? []).toString();
      const source = { topic: scored, partition: Number(text('partition')), offset: Number(text('offset')) };
      found.push({
        eventId: (codec.decode(run.value(i)!) as { eventId: string }).eventId,
        reason: text('reason'),
        record: { topic: asideTopic(scored), partition: run.partition, key: run.key(i), value: run.value(i), headers: redriveHeaders({ source, count: 1 }) },
      });
    }
  return found;
}; // prettier-ignore
const lateOf = async (at: Town): Promise<string[]> => {
  const found = await letters(at);
  expect(new Set(found.map(({ reason }) => reason))).toEqual(new Set(['late']));
  return found.map(({ eventId }) => eventId).toSorted();
};
const countsOf = async (at: Town): Promise<Map<string, number>> =>
  new Map((await readVectors(at)).map(({ value }) => [`${value.eventId} ${value.revision}`, value.features['customerTxCount7d']!])); // prettier-ignore
const answered = (at: Town, count: number) => async () => (await readVectors(at)).length >= count;

const refusing: Pipeline = { ...testPipeline, delivery: { ...testPipeline.delivery, late: 'dead-letter' } };
const customersOnly = {
  ...refusing.features,
  views: refusing.features.views.filter(({ key }) => key !== 'terminalId'),
};

const customerRisk = featureView({
  name: 'customer-risk',
  version: 1,
  key: 'customerId',
  features: { customerRisk7d: share({ of: 'labels', where: field('isFraud'), window: '7d' }) },
});

describe.each([
  ['several keys, in epochs', refusing],
  ['one key', { ...refusing, features: customersOnly }],
  [
    'one key and labels, in epochs',
    { ...refusing, features: { ...customersOnly, views: [...customersOnly.views, customerRisk] } },
  ],
])('late events, where a pipeline refuses them and has %s', (_, pipeline) => {
  test.each([1, 2, 3])('are dead letters, and no others are, whoever comes first (%i)', async seed => {
    const events = course(seed);
    const { late, counts } = plain(events);
    expect(late.length).toBeGreaterThan(15);
    const at = await town(pipeline);
    await start(at);
    await publish(at, events, GAP_MS);
    await until(answered(at, counts.size));
    await until(async () => (await letters(at)).length >= late.length);
    expect(await lateOf(at)).toEqual(late);
    expect(await countsOf(at)).toEqual(counts);
  });

  test('are the same dead letters, each once, where processes die in the midst', async () => {
    const events = course(4);
    const { late, counts } = plain(events);
    const at = await town(pipeline);
    let kills = 0;
    const part = Math.ceil(events.length / 3);
    for (const [i, commits] of [1, 3, 2].entries()) {
      await publish(at, events.slice(i * part, (i + 1) * part), GAP_MS);
      const { broker, dead } = doomed(at.broker, commits);
      const life = await start(at, broker);
      const soFar = plain(events.slice(0, (i + 1) * part)).counts.size;
      if (await diedBefore(dead, answered(at, soFar))) kills++;
      else await life.stop();
    }
    expect(kills).toBeGreaterThan(0);
    await start(at);
    await until(answered(at, counts.size));
    await until(async () => (await letters(at)).length >= late.length);
    expect(await lateOf(at)).toEqual(late);
    expect(await countsOf(at)).toEqual(counts);
  });

  test('count once they are sent again: scored as of their own time, and marked', async () => {
    const events = course(5);
    const { late, counts } = plain(events);
    const at = await town(pipeline);
    await start(at);
    await publish(at, events, GAP_MS);
    await until(async () => (await letters(at)).length === late.length);
    const producer = await at.broker.producer();
    await producer.send((await letters(at)).map(({ record }) => record));
    await producer.close();
    // Some were refused twice: the second of these is a duplicate.
    const all = counts.size + new Set(late).size;
    await until(answered(at, all));
    const written = (await readVectors(at)).map(({ value }) => value);
    expect(written.length).toBe(all);
    const again = written.filter(({ eventId }) => late.includes(eventId));
    expect([again.length, again.every(vector => vector.late)]).toEqual([new Set(late).size, true]);
    expect((await letters(at)).length).toBe(late.length);
  });
});

test('nothing is refused as late where the pipeline does not say so', async () => {
  const events = course(1);
  const at = await town(testPipeline);
  await start(at);
  await publish(at, events, GAP_MS);
  const { late, counts } = plain(events);
  await until(answered(at, counts.size + new Set(late).size));
  expect(await letters(at)).toEqual([]);
});
