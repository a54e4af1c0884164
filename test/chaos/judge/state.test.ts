import { expect, test } from '@jest/globals';
import { simulateFraud } from '@millrace/pipelines';
import { Ledger } from '../rig/ledger.ts';
import { foldedState, judgeState } from './state.ts';

const ledger = new Ledger();
for (const event of simulateFraud()) {
  if (ledger.entries.length === 500) break;
  const { eventId: id, customerId: key } = event.value;
  const { n } = ledger.add({ kind: 'event', id, key, topic: event.stream }, event);
  ledger.acknowledge(n, { partition: 0, offset: n });
}
const lines = [...foldedState(ledger)].map(([key, value]) => ({ partition: 0, key, value }));

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
