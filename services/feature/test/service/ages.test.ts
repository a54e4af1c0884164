/** How old what a vector rests on is: the service against a plain look through what had come before, restarts with it. */
import { afterEach, expect, test } from '@jest/globals';
import { FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { openTown, publish, readVectors, type RunningService, startService, testPipeline, type Town, until } from './town.ts'; // prettier-ignore

const DAY_S = 86_400;
/** Wider than an epoch, so that events are folded in the order in which they come. */
const GAP_MS = 25;

/** Labels stop after ten days, as if whoever labels had gone. */
const EVENTS = [...simulateFraud({ ...FRAUD_SIMULATION, customers: 8, terminals: 10, days: 13, labelDelayDays: 2 })].filter(
  ({ value }) => !('knownAt' in value) || value.knownAt < FRAUD_SIMULATION.startAt + 10 * DAY_S * 1000,
); // prettier-ignore
const isPayment = ({ stream }: SimulatedEvent): boolean => stream === 'transactions';
const secondOf = (ms: number): number => Math.floor(ms / 1000);
const orderSecond = ({ value }: SimulatedEvent): number =>
  secondOf('knownAt' in value ? value.knownAt : value.txAt);
const partitionOf = ({ value }: SimulatedEvent): number =>
  murmur2Partition(Buffer.from(value.terminalId), testPipeline.partitions);

const plain = new Map(
  EVENTS.flatMap((one, i) => {
    if (!isPayment(one)) return [];
    const at = one.value.txAt;
    const before = EVENTS.slice(0, i);
    const there = [...before, one].filter(other => partitionOf(other) === partitionOf(one));
    const heard = Math.max(orderSecond(there[0]!), ...there.filter(other => !isPayment(other)).map(orderSecond));
    const since = (some: readonly SimulatedEvent[]): number =>
      some.length === 0 ? -1 : Math.max(0, secondOf(at - Math.max(...some.map(({ value }) => value.txAt))));
    const own = before.filter(other => isPayment(other) && other.value.customerId === one.value.customerId);
    const ofTerminal = before.filter(other => other.value.terminalId === one.value.terminalId);
    const viewAges = { customer_spending: 0, terminal_risk: Math.max(0, secondOf(at) - heard) };
    const entityAges = { customer_spending: since(own), terminal_risk: since(ofTerminal) };
    return [[one.value.eventId, { viewAges, entityAges }]];
  }),
); // prettier-ignore

const open: { town: Town; services: RunningService[] }[] = [];
afterEach(async () => {
  for (const { town, services } of open.splice(0)) {
    for (const service of services) await service.stop();
    await town.broker.close();
  }
});

const agesOf = async (town: Town) =>
  new Map((await readVectors(town)).map(({ value: { eventId, viewAges, entityAges } }) => [eventId, { viewAges, entityAges }])); // prettier-ignore

test.each([
  ['of one life', EVENTS.length],
  ['with a restart while labels are away', Math.floor(0.85 * EVENTS.length)],
])('ages in vectors, %s', async (_, firstLife) => {
  const town = await openTown(testPipeline);
  const services: RunningService[] = [];
  open.push({ town, services });
  for (const part of [EVENTS.slice(0, firstLife), EVENTS.slice(firstLife)]) {
    if (part.length === 0) continue;
    const service = await startService(town, town.clock);
    services.push(service);
    const before = (await readVectors(town)).length;
    await publish(town, part, GAP_MS);
    await until(async () => (await readVectors(town)).length === before + part.filter(isPayment).length);
    await service.stop();
  }
  expect(await agesOf(town)).toEqual(plain);
  const behind = [...plain.values()].map(({ viewAges }) => viewAges.terminal_risk);
  // While labels flow, terminals are hours behind at most; when they have stopped, days.
  expect([behind.some(age => age > 2 * DAY_S), behind.some(age => age > 0 && age < DAY_S / 4)]).toEqual([
    true,
    true,
  ]);
});
