/**
 * What labels may and may not change, through the service itself; each vector is compared with a plain look through what had
 * arrived before it. The policy in words: docs/PIPELINES.md, Labels.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Pipeline } from '@millrace/define';
import { type FoldEvent, compareOrder, compileSet, foldInOrder, readEvent } from '@millrace/features';
import { FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { openTown, publish, readVectors, type RunningService, startService, testPipeline, type Town, until, valueOf } from './town.ts'; // prettier-ignore

const DAY_MS = 86_400_000;
const WINDOW_MS = 7 * DAY_MS;
/** Wider than an epoch, so that events are folded in the order in which they come. */
const GAP_MS = 25;

/** Terminals are judged by labels up to the present: without the week's delay a leak would show at once. */
const undelayed: Pipeline = {
  ...testPipeline,
  features: {
    ...testPipeline.features,
    views: testPipeline.features.views.map(view => ({
      ...view,
      features: Object.fromEntries(
        Object.entries(view.features).map(([name, d]) => [name, 'aggregate' in d ? { aggregate: { ...d.aggregate, delay: '0ms' as const } } : d]),
      ),
    })),
  },
}; // prettier-ignore

/** Payments of nine days, and the label of each, also those that come when all is paid. */
const SIMULATED = [
  ...simulateFraud({ ...FRAUD_SIMULATION, customers: 8, terminals: 3, days: 12, labelDelayDays: 2, tampersPerThousand: 200 }),
].filter(({ value }) => value.txAt < FRAUD_SIMULATION.startAt + 9 * DAY_MS); // prettier-ignore
const paymentOf = new Map(SIMULATED.filter(({ stream }) => stream === 'transactions').map(one => [one.value.eventId, one])); // prettier-ignore
const labels = SIMULATED.filter(({ stream }) => stream === 'labels');
const knownAt = ({ value }: SimulatedEvent): number => ('knownAt' in value ? value.knownAt : value.txAt);
const isFraud = ({ value }: SimulatedEvent): boolean => 'isFraud' in value && value.isFraud;
const lastAt = Math.max(...[...paymentOf.values()].map(({ value }) => value.txAt));

/** By event id: share of frauds among the labels of its terminal, and number of payments there, in a week. */
const plain = (course: readonly SimulatedEvent[]): Map<string, [number, number]> => {
  const found = new Map<string, [number, number]>();
  course.forEach((one, i) => {
    if (one.stream !== 'transactions') return;
    const at = one.value.txAt;
    const before = course.slice(0, i + 1).filter(({ value }) =>
      value.terminalId === one.value.terminalId && value.txAt > at - WINDOW_MS && value.txAt <= at); // prettier-ignore
    const known = new Map(before.filter(other => other.stream === 'labels' && knownAt(other) <= at).map(other => [other.value.eventId, isFraud(other)])); // prettier-ignore
    const frauds = [...known.values()].filter(Boolean).length;
    const payments = before.filter(({ stream }) => stream === 'transactions').length;
    found.set(one.value.eventId, [Math.fround(known.size === 0 ? 0 : frauds / known.size), payments]);
  });
  return found;
};

const open: { town: Town; service: RunningService }[] = [];
afterEach(async () => {
  for (const { town, service } of open.splice(0)) {
    await service.stop();
    await town.broker.close();
  }
});

const served = async (
  course: readonly SimulatedEvent[],
): Promise<Map<string, Readonly<Record<string, number>>>> => {
  const town = await openTown(undelayed);
  open.push({ town, service: await startService(town, town.clock) });
  await publish(town, course, GAP_MS);
  await until(async () => (await readVectors(town)).length >= paymentOf.size);
  return new Map((await readVectors(town)).map(({ value }) => [value.eventId, value.features]));
};
const risks = (of: Awaited<ReturnType<typeof served>>): Map<string, [number, number]> =>
  new Map(
    [...of].map(([id, features]) => [id, [features['terminalRisk7d']!, features['terminalTxCount7d']!]]),
  );

/** Each label behind the payment after which it is to come. */
const withLabels = (placed: (label: SimulatedEvent) => number | undefined): SimulatedEvent[] =>
  [
    ...[...paymentOf.values()].map(event => ({ event, at: event.value.txAt })),
    ...labels.flatMap(event => {
      const at = placed(event);
      return at === undefined ? [] : [{ event, at }];
    }),
  ]
    .toSorted((a, b) => a.at - b.at || Number(a.event.stream === 'transactions') - Number(b.event.stream === 'transactions'))
    .map(({ event }) => event); // prettier-ignore
const third = (event: SimulatedEvent): boolean => event.value.sequence % 3 === 0;

describe('labels', () => {
  test('that are there count, or there would be nothing to leak', () => {
    const shares = [...plain(SIMULATED).values()].map(([risk]) => risk);
    expect(shares.filter(risk => risk > 0).length).toBeGreaterThan(20);
  });

  test.each([
    ['in time', withLabels(knownAt)],
    ['early: they count from when they were known, not from when they came', withLabels(({ value }) => value.txAt + 1)],
    ['never, a third of them: neither frauds nor none', withLabels(one => (third(one) ? undefined : knownAt(one)))],
    ['late, a third of them: they count from when they came', withLabels(one => knownAt(one) + (third(one) ? DAY_MS : 0))],
  ])('that come %s', async (_, course) => {
    expect(risks(await served(course))).toEqual(plain(course));
  }); // prettier-ignore

  test('that are not known by the last event that is scored change nothing', async () => {
    const some = SIMULATED.filter(one => one.stream === 'transactions' || knownAt(one) <= lastAt);
    const early = withLabels(({ value }) => value.txAt + 1);
    expect(early.length).toBeGreaterThan(some.length);
    expect(await served(early)).toEqual(await served(some));
  });

  test('that come twice have one effect', async () => {
    const twice = SIMULATED.flatMap(one => (one.stream === 'labels' && third(one) ? [one, one] : [one]));
    expect(twice.length).toBeGreaterThan(SIMULATED.length);
    expect(await served(twice)).toEqual(await served(SIMULATED));
  });
});

test("an event's own label, and all that became known after it, change nothing of its vector", () => {
  const set = compileSet(undelayed);
  const events = SIMULATED.map((event, i): FoldEvent => readEvent(undelayed, event.stream, valueOf(event), 0, i)).sort(compareOrder); // prettier-ignore
  const vectors = (of: readonly FoldEvent[]) =>
    new Map([...foldInOrder(set, of)].map(({ event, values }) => [event.eventId, [...values]]));
  const all = vectors(events);
  for (const { eventId, time } of events.filter(({ stream, sequence }) => stream === 'transactions' && sequence % 9 === 0)) {
    const without = events.filter(one => one.stream !== 'labels' || (one.eventId !== eventId && one.knownAt! <= time));
    expect(vectors(without).get(eventId)).toEqual(all.get(eventId));
  }
}); // prettier-ignore
