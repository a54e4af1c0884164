import { expect, test } from '@jest/globals';
import { Bad, memoryRegistry, openCodec } from '@millrace/avro';
import { applySchemas, catalogue, schemaPlan, topicsOf } from '@millrace/contracts';
import { decoded, memoryBroker, wholeTopic } from '@millrace/stream';
import { systemClock as clock } from '@millrace/telemetry';
import { customersOf } from '../../src/feature/pipeline.ts';
import { Folded, paymentOf, Payments, SIMULATION } from '../../src/load/payments.ts';

const DAY_MS = 86_400_000;
/** Fewer people, so that their windows of 30 days fill. */
const FEW = { ...SIMULATION, customers: 50, terminals: 20 };
const PAYMENTS = 6_000;

interface Payment {
  readonly eventId: string;
  readonly customerId: string;
  readonly txAt: number;
  readonly amount: number;
}

test('an event id is that of a payment, or of nobody', () => {
  expect(paymentOf('tx-20261129-17')).toBe(17);
  for (const id of ['tx-20261129-', 'tx-20261129-1x', 'tx-1-17', 'bench-17', ''])
    expect(paymentOf(id)).toBe(-1);
});

test('payments go on where they were, and are folded to what counting by hand gives', async () => {
  const pipeline = customersOf(1);
  const broker = memoryBroker({ clock });
  const registry = memoryRegistry();
  const topics = catalogue([pipeline]);
  await broker.admin.createTopics(topics.map(({ name, partitions }) => ({ name, partitions })));
  await applySchemas(registry, await schemaPlan(registry, topics));
  const { signal } = new AbortController();
  const payments = await Payments.open({ broker, registry, clock, signal }, pipeline, FEW);
  await payments.send(PAYMENTS - 2_000, 1e9);
  await payments.send(2_000, 1e9);
  expect(payments.sent).toBe(PAYMENTS);

  const { scored } = topicsOf(pipeline);
  const codec = await openCodec<Payment>(registry, topics.find(({ name }) => name === scored)!.value!);
  const there = new Map<number, Payment>();
  for await (const { value } of decoded(await wholeTopic(broker, scored), codec))
    if (value !== null && !(value instanceof Bad)) there.set(paymentOf(value.eventId), value);
  expect(there.size).toBe(PAYMENTS);
  await broker.close();

  const folded = new Folded(pipeline, FEW);
  const first = folded.next(PAYMENTS - 1);
  const rows = Float32Array.from([...first, ...folded.next(1)]);
  const ofCustomer = Map.groupBy(
    Array.from({ length: PAYMENTS }, (_, i) => ({ i, ...there.get(i)! })),
    ({ customerId }) => customerId,
  );
  const byHand = (i: number): readonly number[] => {
    const { customerId, txAt } = there.get(i)!;
    return [1, 7, 30].flatMap(days => {
      const within = ofCustomer
        .get(customerId)!
        .filter(one => one.i <= i && one.txAt > txAt - days * DAY_MS && one.txAt <= txAt);
      const sum = within.reduce((total, { amount }) => total + amount, 0);
      return [within.length, Math.fround(sum / within.length)];
    });
  };
  expect(byHand(PAYMENTS - 1)[4]).toBeLessThan(ofCustomer.get(there.get(PAYMENTS - 1)!.customerId)!.length);
  for (let i = 0; i < PAYMENTS; i += 7)
    byHand(i).forEach((value, column) => expect(rows[i * 6 + column]).toBeCloseTo(value, 3));
});
