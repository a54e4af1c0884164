import { expect, test } from '@jest/globals';
import { FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { Ledger } from '../rig/ledger.ts';
import { foldedState, judgeState } from './state.ts';

const ledgerOf = (events: Iterable<SimulatedEvent>, count: number): Ledger => {
  const ledger = new Ledger();
  for (const event of events) {
    if (ledger.entries.length === count) break;
    const { eventId: id, customerId: key } = event.value;
    const { n } = ledger.add({ kind: 'event', id, key, topic: event.stream }, event);
    ledger.acknowledge(n, { partition: 0, offset: n });
  }
  return ledger;
};
const linesOf = (of: Ledger) =>
  [...foldedState(of).chunks].map(([key, value]) => ({ partition: 0, key, value }));
const ledger = ledgerOf(simulateFraud(), 500);
const lines = linesOf(ledger);

test('state that equals the fold is found good, bookkeeping beside it is left alone', () => {
  const epochs = { partition: 0, key: 'epochs', value: 'e30=' };
  expect(judgeState(ledger, [...lines, epochs])).toEqual({
    chunks: lines.length,
    different: 0,
    examples: [],
  });
});

test('a chunk that is missing, has other bytes, or is too many is found', () => {
  expect(judgeState(ledger, lines.slice(1)).different).toBe(1);
  expect(judgeState(ledger, [...lines.slice(1), { ...lines[0]!, value: 'AA==' }]).different).toBe(1);
  expect(judgeState(ledger, [...lines, { ...lines[0]!, key: 'view\0customerId\0nobody\0x' }]).different).toBe(
    1,
  );
});

test('what no event will need any more may be gone, or there; what one may need must be there', () => {
  const days = { ...FRAUD_SIMULATION, customers: 40, terminals: 10, days: 80 };
  const long = ledgerOf(simulateFraud(days), 20_000);
  const { expired } = foldedState(long);
  const all = linesOf(long);
  expect(expired.size).toBeGreaterThan(0);
  expect(judgeState(long, all).different).toBe(0);
  const needed = all.filter(({ key }) => !expired.has(key));
  expect(judgeState(long, needed).different).toBe(0);
  expect(judgeState(long, needed.slice(1)).different).toBe(1);
});
