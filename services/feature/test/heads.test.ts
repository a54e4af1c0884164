/** When a task of several keys tells the others how far its newest record is. */
import { expect, test } from '@jest/globals';
import { topicsOf } from '@millrace/contracts';
import { type Epoch, EPOCH_NONE } from '@millrace/features';
import { fraud } from '@millrace/pipelines';
import {
  type InboundBatch,
  type KeyedState,
  murmur2Partition,
  type Outcomes,
  type TaskContext,
} from '@millrace/stream';
import { noMetrics, turnedClock } from '@millrace/telemetry';
import { EntityCache } from '../src/entityCache.ts';
import { EpochTask } from '../src/epochTask.ts';
import { Freshness } from '../src/freshness.ts';
import { planOf } from '../src/plan.ts';
import type { ProgressView } from '../src/progress.ts';
import type { Inbound, Outputs } from '../src/values.ts';

const EPOCH_MS = 100;
const plan = planOf(fraud);
const PAYMENTS = topicsOf(fraud).scored;
const KEY = Buffer.from('customer-1');
const PARTITION = murmur2Partition(KEY, fraud.partitions);
const T = Date.UTC(2026, 0, 5);

/** A task at the beginning of an epoch, and how often it has asked for a commit. */
function world() {
  const clock = turnedClock(T);
  const state = new Map<string, Uint8Array>();
  const heads: unknown[] = [];
  const asked = { commits: 0 };
  const progress = { headMax: EPOCH_NONE as Epoch, releasedMin: EPOCH_NONE, onChange: () => () => undefined };
  const context = {
    id: PARTITION,
    positions: [],
    state: {
      get: (key: string) => state.get(key),
      put: (key: string, value: Uint8Array) => state.set(key, new Uint8Array(value)),
      nextKeys: () => [],
    } as unknown as KeyedState,
    signal: new AbortController().signal,
    out: { emit: (_to: string, _key: Uint8Array, value: { head: unknown }) => heads.push(value.head) },
    pause: () => undefined,
    resume: () => undefined,
    commitSoon: () => asked.commits++,
    fail: (error: Error) => {
      throw error;
    },
  } as unknown as TaskContext<Outputs>;
  const task = new EpochTask(
    {
      plan,
      progress: progress as unknown as ProgressView,
      cutter: { epochMs: EPOCH_MS, marginMs: 10, epochsAheadMax: 20 },
      history: { run: undefined, of: () => plan.sources.map(() => ({ from: 0, history: undefined })) },
      events: new Map(),
      lanes: undefined as never,
      vectors: undefined as never,
      freshness: new Freshness(fraud.name, clock, noMetrics),
      cache: new EntityCache(2 ** 20),
      clock,
      metrics: noMetrics,
    },
    context,
  );
  const turnTo = async (ms: number): Promise<void> => {
    await clock.turn(T + ms - clock.now());
    task.onTime();
  };
  const paid = async (): Promise<void> => {
    const appendTimeMs = clock.now();
    const value = { eventId: 'e', revision: 0, withdrawn: false, lineage: null, customerId: String(KEY), terminalId: 'terminal-1', txAt: appendTimeMs, sequence: 0, amount: 1 };
    const batch: InboundBatch<Inbound> = {
      topic: PAYMENTS, partition: PARTITION, length: 1, offset: () => 0, appendTimeMs: () => appendTimeMs,
      key: () => KEY, bytes: () => KEY, header: () => undefined, value: () => value,
    };
    const out = { skip: (_: number, why: string) => heads.push(why), reject: (_: number, why: string) => heads.push(why) };
    void task.handle(batch, out as unknown as Outcomes<Outputs>);
    await new Promise(resolve => setImmediate(resolve));
  };
  return { progress, heads, asked, turnTo, paid };
} // prettier-ignore

const HEAD = { phase: 'live', n: T };

test('a head is told in the middle of its epoch', async () => {
  const { heads, asked, turnTo, paid } = world();
  await turnTo(20);
  await paid();
  await turnTo(EPOCH_MS / 2 - 1);
  expect([heads, asked.commits]).toEqual([[], 0]);
  await turnTo(EPOCH_MS / 2);
  await turnTo(EPOCH_MS / 2 + 10);
  expect([heads, asked.commits]).toEqual([[HEAD], 1]);
});

test('a head that another task has told by then is not', async () => {
  const { progress, heads, asked, turnTo, paid } = world();
  await paid();
  progress.headMax = T;
  await turnTo(EPOCH_MS / 2);
  expect([heads, asked.commits]).toEqual([[], 0]);
});

test('a head that is read later than that is told at once', async () => {
  const { heads, asked, turnTo, paid } = world();
  await turnTo(EPOCH_MS / 2 + 1);
  await paid();
  expect([heads, asked.commits]).toEqual([[HEAD], 1]);
});
