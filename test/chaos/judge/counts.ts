/** The customer's running counts, counted once more in the plainest way: what state knew when each event was answered. */
import { topicsOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import type { PredictionLine } from '../rig/follower.ts';
import { type Ledger, placeName } from '../rig/ledger.ts';

const DAY_MS = 86_400_000;
const WINDOWS = { customerTxCount1d: 1, customerTxCount7d: 7, customerTxCount30d: 30 } as const;
const SCORED = topicsOf(fraud).scored;

/** @returns how many predictions carry a count that is not the number of the customer's payments in the window */
export const wrongCounts = (ledger: Ledger, predictions: readonly PredictionLine[]): number => {
  const times = new Map<string, number[]>();
  const expected = new Map<string, Readonly<Record<string, number>>>();
  for (const { n, kind, key, topic, at } of ledger.entries) {
    const event = ledger.events.get(n);
    if (kind !== 'event' || event === undefined || topic !== SCORED || at === undefined) continue;
    const of = times.get(key) ?? [];
    times.set(key, of);
    const now = event.value.txAt;
    // Payments come in the order of their times, and one at the same time before this one counts.
    of.push(now);
    const counts = Object.entries(WINDOWS).map(([name, days]) => {
      let count = 0;
      for (let i = of.length - 1; i >= 0 && of[i]! > now - days * DAY_MS; i--) count++;
      return [name, count] as const;
    });
    expected.set(placeName(topic, at.partition, at.offset), Object.fromEntries(counts));
  }
  return predictions.filter(({ sourceTopic, sourcePartition, sourceOffset, features }) => {
    const counts = expected.get(placeName(sourceTopic, sourcePartition, sourceOffset));
    return counts !== undefined && Object.entries(counts).some(([name, count]) => features[name] !== count);
  }).length;
};
