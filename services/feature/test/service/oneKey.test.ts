/** One key over payments, labels and a table: a backfill of a stretch, and live behind it. */
import { afterEach, expect, test } from '@jest/globals';
import { topicsOf } from '@millrace/contracts';
import { field, inForce, type Pipeline } from '@millrace/define';
import type { FoldEvent } from '@millrace/features';
import type { SimulatedEvent } from '@millrace/pipelines';
import { captureBackfill } from '../../src/index.ts';
import {
  expectedOf, oneKeyPipeline, openTown, publish, readVectors, type RunningService, someEvents, startService, type Town, until,
} from './town.ts'; // prettier-ignore

const limits = { schema: 'fraud/transaction', time: 'txAt', keys: ['customerId'], table: true } as const;
const limit = inForce({ of: 'limits', value: field('amount') });
/** The rows have the schema of payments: what they say is an amount. */
const severalStreams: Pipeline = {
  ...oneKeyPipeline,
  events: { ...oneKeyPipeline.events, limits },
  features: {
    ...oneKeyPipeline.features,
    views: [
      ...oneKeyPipeline.features.views,
      { name: 'limits', version: 1, key: 'customerId', features: { limit } },
    ],
  },
};
const { customerRisk30d: _, ...ofPayments } = Object.assign(
  {},
  ...oneKeyPipeline.features.views.filter(({ key }) => key !== undefined).map(({ features }) => features),
) as Record<string, never>;
const oneStream: Pipeline = {
  ...oneKeyPipeline,
  features: {
    ...oneKeyPipeline.features,
    views: [{ name: 'payments', version: 1, key: 'customerId', features: ofPayments }],
  },
};

const running: RunningService[] = [];
let at: Town | undefined;
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  await at?.broker.close();
});

const HOUR_MS = 3_600_000;
/** Before every fourth payment a row for its customer, of the same millisecond; they come when all payments have come. */
const withRows = (events: readonly SimulatedEvent[]): readonly SimulatedEvent[] => {
  const rows = events
    .filter(({ stream, value }) => stream === 'transactions' && value.sequence % 4 === 0)
    .map(({ value }) => ({ stream: 'limits', value: { ...value, eventId: `row-${value.eventId}`, amount: value.sequence } }));
  return [...events, ...(rows as unknown as SimulatedEvent[])];
}; // prettier-ignore

const isPayment = ({ stream }: { readonly stream: string }): boolean => stream === 'transactions';

test.each([
  ['several streams', severalStreams],
  ['one stream', oneStream],
])('a backfill of %s has its stretch and no more, by event time; what comes later is live', async (_, pipeline) => {
  at = await openTown(pipeline);
  const { clock, broker } = at;
  const streams = new Set(pipeline.features.views.some(({ name }) => name === 'limits') ? ['transactions', 'labels', 'limits'] : ['transactions']);
  const all = someEvents(900, 4).map(event => event.stream === 'labels' ? { ...event, value: { ...event.value, isFraud: event.value.sequence % 3 === 0 } } : event);
  const [outside, inside, later] = [all.slice(0, 200), all.slice(200, 800), all.slice(800)]
    .map(part => withRows(part).filter(({ stream }) => streams.has(stream))) as [SimulatedEvent[], SimulatedEvent[], SimulatedEvent[]];
  await publish(at, outside);
  clock.shift(HOUR_MS);
  const fromMs = clock.now();
  // Newest first: as they are read, next to nothing would be in their windows.
  const published: FoldEvent[] = [...(await publish(at, inside.toReversed(), 0))];
  clock.shift(HOUR_MS);
  const toMs = clock.now();
  published.push(...(await publish(at, later.filter(isPayment), 50)));
  clock.shift(HOUR_MS);
  const disorderMs = 12 * 24 * HOUR_MS;
  const run = await captureBackfill({ ...at, fromMs, toMs, sliceMs: 24 * HOUR_MS, disorderMs, by: 'test' });
  expect(run.slice.reduce((sum, { from, until }) => sum + until - from, 0)).toBe(inside.length);
  running.push(await startService(at, clock));
  const expected = expectedOf(pipeline, published);
  const town = at;
  await until(async () => (await readVectors(town)).length >= expected.size);
  const written = await readVectors(at);
  const idsOf = (ids: Iterable<string>): readonly string[] => [...ids].toSorted();
  expect(idsOf(written.map(({ value }) => value.eventId))).toEqual(idsOf(expected.keys()));
  for (const { value } of written)
    expect([value.eventId, ...Object.values(value.features)]).toEqual([value.eventId, ...expected.get(value.eventId)!.values]);
  // Of a replay none is older than its entity's newest.
  const { aside } = topicsOf(pipeline);
  expect((await broker.admin.endOffsets(aside)).every(({ offset }) => offset === 0)).toBe(true);
}); // prettier-ignore
