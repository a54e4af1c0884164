/** Live epochs: at a pace of our own, and why rows differ. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import type { StreamValue } from '@millrace/cli';
import type { Clock } from '@millrace/telemetry';
import type { FeaturesValue } from '@millrace/contracts';
import { digestOf } from './again.ts';
import type { Days } from './days.ts';
import { memoryOf } from './memory.ts';
import { publishPaced } from './publish.ts';
import { whyDiffering } from './why.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-live-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, '2018-04-01.csv');
writeFileSync(
  file,
  [
    'TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD',
    '1,2018-04-01T00:00:00Z,10,7,1.5,0',
    '2,2018-04-01T00:01:40Z,11,7,2.5,0',
    '3,2018-04-01T00:03:20Z,12,8,3.5,0',
    '4,2018-04-01T00:05:00Z,12,9,4.5,0',
  ].join('\n'),
);

test('a paced stretch begins at its time, waits for each event, and ends with its seconds', async () => {
  let nowMs = 5_000;
  const clock = { now: () => nowMs, sleep: (ms: number) => Promise.resolve(void (nowMs += ms)) } as Clock;
  const sent: { readonly id: unknown; readonly atMs: number }[] = [];
  const publish = (values: readonly StreamValue[]): Promise<void> =>
    Promise.resolve(
      void sent.push(...values.map(({ value }) => ({ id: value['eventId'], atMs: nowMs - 5_000 }))),
    );
  const pace = { fromMs: Date.parse('2018-04-01T00:01:00Z'), speed: 100, secondsMax: 2, clock };
  const counts = await publishPaced({ publish }, [file], 'p-', AbortSignal.timeout(5_000), pace);
  expect(counts).toEqual({ transactions: 2, labels: 0, duplicates: 0 });
  expect(sent.map(({ id }) => id)).toEqual(['p-tx-2', 'p-tx-3']);
  // Each is sent when the next one has to wait, or at the end.
  expect(sent[0]!.atMs).toBe(400);
  expect(sent[1]!.atMs).toBe(1_400);
});

describe('why rows differ', () => {
  const days = { raw: [file] } as unknown as Days;
  const ids = new Set([1, 2, 3, 4]);
  const epochs = (byId: Readonly<Record<number, number>>) => {
    // Partitions and offsets stand for the order of the file: one event at a time.
    let next = 0;
    return () => byId[++next]!;
  };

  test('an event of the same terminal that went into a later epoch is a cause', () => {
    const why = whyDiffering(days, new Set([2]), ids, epochs({ 1: 300, 2: 200, 3: 200, 4: 200 }));
    expect(why).toEqual({
      overtaken: 1,
      causes: { 'a payment of its terminalId went into a later epoch': 1 },
      unexplained: 0,
    });
  });
  test('in order there is none, and a row that differs all the same is said', () => {
    const why = whyDiffering(days, new Set([2, 4]), ids, epochs({ 1: 100, 2: 200, 3: 300, 4: 200 }));
    expect(why).toEqual({
      overtaken: 1,
      causes: { 'a payment of its customerId went into a later epoch': 1 },
      unexplained: 1,
    });
  });
});

test('digests of vectors: bits and places count, the version of the set does not', () => {
  const vector = (features: Readonly<Record<string, number>>, more: object = {}): string =>
    digestOf({ eventId: 'a', featureSet: 1, featureSetHash: 'x', features, ...more } as unknown as FeaturesValue);
  expect(vector({ a: 0.1 }, { featureSet: 2, featureSetHash: 'y' })).toBe(vector({ a: 0.1 }));
  expect(vector({ a: 0.1 }, { sourceOffset: 2 })).not.toBe(vector({ a: 0.1 }));
  expect(vector({ a: -0 })).not.toBe(vector({ a: 0 }));
  expect(vector({ a: 0.1 })).not.toBe(vector({ a: Math.fround(0.1) + 1e-8 }));
}); // prettier-ignore

test('memory: the most, and a curve of twelve points at most', () => {
  expect(memoryOf([], tmpdir())).toBeNull();
  const { mbMax, curve } = memoryOf(Array.from({ length: 30 }, (_, i) => ({ seconds: i, mb: i === 4 ? 99 : i })), import.meta.dirname)!;
  expect(mbMax).toBe(99);
  expect(curve.length).toBeLessThanOrEqual(12);
  expect(curve[1]).toEqual({ seconds: 5, mb: 99 });
}); // prettier-ignore
