/** Reference tables through the running service: a row for each terminal now and then, keyed by the terminal alone. */
import { afterEach, expect, test } from '@jest/globals';
import { field, inForce, type Pipeline } from '@millrace/define';
import type { SimulatedEvent } from '@millrace/pipelines';
import {
  expectedOf, openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until,
} from './town.ts'; // prettier-ignore

const limit = inForce({ of: 'terminals', value: field('amount') });
// The rows have the schema of payments: what they say is an amount.
const terminals = { schema: 'fraud/transaction', time: 'txAt', keys: ['terminalId'], table: true } as const;
const views = [
  ...testPipeline.features.views,
  { name: 'limits', version: 1, key: 'terminalId', features: { limit } },
];
const pipeline: Pipeline = {
  ...testPipeline,
  events: { ...testPipeline.events, terminals },
  features: { ...testPipeline.features, views },
  reference: { terminalLimit: limit },
}; // prettier-ignore

const payments = someEvents(160).filter(({ stream }) => stream === 'transactions');
const MINUTE_MS = 60_000;
/** Before every third payment a row for its terminal, a minute before it; before every ninth, of the same millisecond. */
const withRows = (events: readonly SimulatedEvent[], from: number): SimulatedEvent[] =>
  events.flatMap((event, i) => {
    if (i % 3 !== 0) return [event];
    const txAt = event.value.txAt - (i % 9 === 0 ? 0 : MINUTE_MS);
    const row = { ...event.value, eventId: `row-${from + i}`, txAt, amount: 1_000 + from + i };
    return [{ stream: 'terminals', value: row } as unknown as SimulatedEvent, event];
  });

const running: RunningService[] = [];
let at: Town | undefined;
afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  await at?.broker.close();
});

test('each vector has the row that was in force at its event, also after a restart', async () => {
  at = await openTown(pipeline);
  const town = at;
  const half = Math.floor(payments.length / 2);
  const [first, second] = [withRows(payments.slice(0, half), 0), withRows(payments.slice(half), half)];
  running.push(await startService(town, town.clock));
  const published = [...(await publish(town, first))];
  await until(async () => (await readVectors(town)).length === half);
  await running.pop()!.stop();
  running.push(await startService(town, town.clock));
  published.push(...(await publish(town, second)));
  await until(async () => (await readVectors(town)).length === payments.length);

  // Counted plainly: the newest row of the terminal from before the payment, or of its millisecond.
  const rows = published.filter(({ stream }) => stream === 'terminals');
  const plain = (terminalId: unknown, time: number): number | null => {
    const ofTerminal = rows.filter(row => row.fields['terminalId'] === terminalId && row.time <= time);
    const newest = ofTerminal.toSorted((a, b) => a.time - b.time || a.sequence - b.sequence).at(-1);
    return (newest?.fields['amount'] as number | undefined) ?? null;
  };
  const expected = expectedOf(pipeline, published);
  let withRow = 0;
  for (const { value } of await readVectors(town)) {
    const row = plain(value.event['terminalId'], value.eventTime);
    expect([value.eventId, value.event['terminalLimit']]).toEqual([value.eventId, row]);
    expect(value.features['limit']).toBe(row === null ? Number.NaN : row);
    expect(Object.values(value.features)).toEqual([...expected.get(value.eventId)!.values]);
    if (row !== null) withRow++;
  }
  expect(withRow).toBeGreaterThan(payments.length / 2);
  expect(withRow).toBeLessThan(payments.length);
});
