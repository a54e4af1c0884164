import { describe, expect, test } from '@jest/globals';
import { FRAUD_SIMULATION, type SimulatedEvent, simulateFraud } from '../../src/simulate/fraud.ts';

const run = (changes: Partial<typeof FRAUD_SIMULATION> = {}): SimulatedEvent[] => [
  ...simulateFraud({ ...FRAUD_SIMULATION, ...changes }),
];

describe('simulated fraud', () => {
  test('the same seed gives the same events, another seed others', () => {
    expect(run({ days: 3 })).toEqual(run({ days: 3 }));
    expect(run({ days: 3 })).not.toEqual(run({ days: 3, seed: 2 }));
  });

  test('events come in order time, labels first where times are equal, and no label before its payment', () => {
    const seen = new Set<string>();
    let last = 0;
    for (const event of run({ days: 20 })) {
      const at = event.stream === 'labels' ? event.value.knownAt : event.value.txAt;
      expect(at).toBeGreaterThanOrEqual(last);
      last = at;
      if (event.stream === 'transactions') seen.add(event.value.eventId);
      else expect(seen.has(event.value.eventId)).toBe(true);
    }
  });

  test('every payment older than the label delay is labelled once, with its keys and time', () => {
    const events = run({ days: 20 });
    const payments = events.filter(e => e.stream === 'transactions').map(e => e.value);
    const labels = new Map(events.filter(e => e.stream === 'labels').map(e => [e.value.eventId, e.value]));
    const end = payments.at(-1)!.txAt;
    for (const { amount: _, ...payment } of payments.filter(p => p.txAt < end - 7 * 86_400_000))
      expect(labels.get(payment.eventId)).toMatchObject(payment);
    expect(labels.size).toBeLessThan(payments.length);
  });

  test('frauds are rare but there, and amounts are cents above zero', () => {
    const events = run({ days: 60 });
    const labels = events.filter(e => e.stream === 'labels').map(e => e.value);
    const share = labels.filter(l => l.isFraud).length / labels.length;
    expect(share).toBeGreaterThan(0.003);
    expect(share).toBeLessThan(0.06);
    for (const event of events)
      if (event.stream === 'transactions') {
        expect(event.value.amount).toBeGreaterThan(0);
        expect(Math.abs(event.value.amount * 100 - Math.round(event.value.amount * 100))).toBeLessThan(1e-6);
      }
  });
});
