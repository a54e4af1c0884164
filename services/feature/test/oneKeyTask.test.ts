/** One key over several streams: customers with their payments and a table of limits, in epochs of one task. */
import { expect, test } from '@jest/globals';
import { topicsOf } from '@millrace/contracts';
import { count, field, inForce, type Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import {
  type InboundBatch,
  type KeyedState,
  murmur2Partition,
  type Outcomes,
  type SharedBytes,
  type Task,
  type TaskContext,
} from '@millrace/stream';
import { noMetrics, turnedClock } from '@millrace/telemetry';
import { directTask } from '../src/directTask.ts';
import { EntityCache } from '../src/entityCache.ts';
import { Freshness } from '../src/freshness.ts';
import { oneKeyTask, type OneKeyTaskOptions } from '../src/oneKeyTask.ts';
import { planOf } from '../src/plan.ts';
import type { ProgressView } from '../src/progress.ts';
import type { Row } from '../src/row.ts';
import type { Inbound, Outputs } from '../src/values.ts';

const EPOCH_MS = 100;
const limits = { schema: 'fraud/transaction', time: 'txAt', keys: ['customerId'], table: true } as const;
const views = [
  {
    name: 'spending',
    version: 1,
    key: 'customerId',
    features: {
      payments: count({ of: 'transactions', window: '1d' }),
      limit: inForce({ of: 'limits', value: field('amount') }),
    },
  },
];
const pipeline: Pipeline = {
  ...fraud,
  events: { transactions: { ...fraud.events['transactions']!, keys: ['customerId'] }, limits },
  features: { ...fraud.features, inputs: {}, views },
  delivery: { ...fraud.delivery, epochMs: EPOCH_MS },
};
const plan = planOf(pipeline);
const { events: topics } = topicsOf(pipeline);
const [PAYMENTS, LIMITS] = [topics['transactions']!, topics['limits']!];
const CUSTOMER = 'customer-1';
const KEY = Buffer.from(CUSTOMER);
const PARTITION = murmur2Partition(KEY, pipeline.partitions);
const T = Date.UTC(2026, 0, 5);

interface Sent {
  readonly eventId: string;
  /** Event time, milliseconds after `T`. */
  readonly at: number;
  readonly amount?: number;
}

const batchOf = (topic: string, from: number, appendTimeMs: number, sent: readonly Sent[]): InboundBatch<Inbound> => ({
  topic,
  partition: PARTITION,
  length: sent.length,
  offset: i => from + i,
  appendTimeMs: () => appendTimeMs,
  key: () => KEY,
  bytes: () => KEY,
  header: () => undefined,
  value: i => {
    const { eventId, at, amount = 0 } = sent[i]!;
    return { eventId, revision: 0, withdrawn: false, lineage: null, customerId: CUSTOMER, txAt: T + at, sequence: at, amount };
  },
}); // prettier-ignore

/** A task by itself: what it is handed, in which order, and what it has written so far. */
function world(state = new Map<string, Uint8Array>(), positions: Readonly<Record<string, number>> = {}) {
  const clock = turnedClock(T + 10 * EPOCH_MS);
  const vectors: (readonly [eventId: string, features: readonly number[]])[] = [];
  const emitted: (readonly [to: string, value: unknown])[] = [];
  const closed: string[] = [];
  const context = {
    id: PARTITION,
    positions: Object.entries(positions).map(([topic, offset]) => ({ topic, partition: PARTITION, offset })),
    state: {
      get: (key: string) => state.get(key),
      put: (key: string, value: Uint8Array) => state.set(key, new Uint8Array(value)),
      delete: (key: string) => state.delete(key),
      inGroup: (group: string) => [...state].filter(([key]) => key.slice(0, key.lastIndexOf('\0') + 1) === group),
      nextKeys: () => [],
    } as unknown as KeyedState,
    signal: new AbortController().signal,
    out: {
      emit: (to: string, _key: Uint8Array, value: unknown) => emitted.push([to, value]),
      put: (to: string, at: unknown) => emitted.push([to, at]),
    },
    pause: () => undefined,
    resume: () => undefined,
    commitSoon: () => undefined,
    fail: (error: Error) => {
      throw error;
    },
  } as unknown as TaskContext<Outputs>;
  const of = ({ event, features }: Row): SharedBytes => {
    vectors.push([event.eventId, [...features]]);
    return { bytes: KEY, keyAt: 0, valueAt: 0, end: KEY.length };
  };
  const settle = (): void => undefined;
  const options = {
    plan,
    progress: { releasedBy: () => Number.NEGATIVE_INFINITY, onChange: () => () => undefined } as unknown as ProgressView,
    cutter: { epochMs: EPOCH_MS, marginMs: 10, epochsAheadMax: 20 },
    history: { run: undefined, of: () => plan.sources.map(() => ({ from: 0, history: undefined })) },
    vectors: { features: { of, settle }, aside: { of, settle } } as unknown as OneKeyTaskOptions['vectors'],
    freshness: new Freshness(pipeline.name, clock, noMetrics),
    cache: new EntityCache(2 ** 20),
    clock,
    metrics: noMetrics,
  };
  const out = (topic: string, from: number): Outcomes<Outputs> =>
    ({
      done: (i: number) => closed.push(`${topic} ${from + i} done`),
      skip: (i: number, reason: string) => closed.push(`${topic} ${from + i} ${reason}`),
      reject: (i: number, reason: string) => closed.push(`${topic} ${from + i} ${reason}`),
    }) as unknown as Outcomes<Outputs>;
  const hand = (task: Task<Inbound, Outputs>, topic: string, sent: readonly Sent[], from = 0): void =>
    void task.handle(batchOf(topic, from, clock.now(), sent), out(topic, from), context.signal);
  const caughtUp = (task: Task<Inbound, Outputs>, offsets: Readonly<Record<string, number>> = {}): void => {
    for (const { topic } of plan.sources) task.onCaughtUp!({ topic, partition: PARTITION, offset: offsets[topic] ?? 0 });
  };
  const pass = async (task: Task<Inbound, Outputs>): Promise<void> => {
    await clock.turn(2 * EPOCH_MS);
    void task.onTime!(clock.now());
  };
  return { clock, context, options, vectors, emitted, closed, hand, caughtUp, pass };
} // prettier-ignore

const paid: readonly Sent[] = [
  { eventId: 'before', at: -1 },
  { eventId: 'at', at: 0 },
  { eventId: 'behind', at: 5 },
];
const row: Sent = { eventId: 'row', at: 0, amount: 700 };
const EXPECTED = [
  ['before', [1, Number.NaN]],
  ['at', [2, 700]],
  ['behind', [3, 700]],
];

test.each([
  ['the row', [LIMITS, PAYMENTS]],
  ['the payments', [PAYMENTS, LIMITS]],
])('a row is in force for payments of its time and later, with %s read first', async (_, order) => {
  const { context, options, vectors, hand, caughtUp, pass } = world();
  const task = oneKeyTask(options, context);
  for (const topic of order) hand(task, topic, topic === LIMITS ? [row] : paid);
  caughtUp(task, { [PAYMENTS]: 3, [LIMITS]: 1 });
  expect(vectors).toEqual([]);
  await pass(task);
  expect(vectors).toEqual(EXPECTED);
});

test('as they are read, the payments that come before the row would do without it', () => {
  const { context, options, vectors, hand } = world();
  const task = directTask(plan, context, options.cache, options);
  hand(task, PAYMENTS, paid);
  hand(task, LIMITS, [row]);
  expect(vectors).not.toEqual(EXPECTED);
  expect(vectors.map(([eventId]) => eventId)).toEqual(paid.map(({ eventId }) => eventId));
});

test('an empty table holds no payment back, nor a quiet stream a row; an input that may have more does', async () => {
  const first = world();
  const task = oneKeyTask(first.options, first.context);
  first.hand(task, PAYMENTS, paid);
  await first.pass(task);
  expect(first.vectors).toEqual([]); // Nobody has said that the table is empty.
  first.caughtUp(task, { [PAYMENTS]: 3 });
  expect(first.vectors.length).toBe(3);
  const second = world();
  const other = oneKeyTask(second.options, second.context);
  second.caughtUp(other);
  second.hand(other, LIMITS, [row]);
  second.caughtUp(other, { [LIMITS]: 1 });
  await second.pass(other);
  expect(second.closed).toEqual([`${LIMITS} 0 done`]);
});

test('state of a task that folded its events as they came goes on in epochs, which begin with the first record', async () => {
  const state = new Map<string, Uint8Array>();
  const before = world(state);
  before.hand(directTask(plan, before.context, before.options.cache, before.options), PAYMENTS, paid.slice(0, 2));
  const { context, options, vectors, emitted, closed, hand, caughtUp, pass } = world(state, { [PAYMENTS]: 1 });
  const task = oneKeyTask(options, context);
  // The second is read once more, as after a commit that was lower than it could be.
  hand(task, PAYMENTS, paid.slice(1), 1);
  caughtUp(task, { [PAYMENTS]: 3 });
  await pass(task);
  expect(vectors).toEqual([['behind', [3, Number.NaN]]]);
  expect(closed).toEqual([`${PAYMENTS} 1 duplicate`, `${PAYMENTS} 2 done`]);
  const [epochs] = emitted.filter(([to]) => to === 'epochs').map(([, value]) => value);
  expect(epochs).toMatchObject({ stretches: [{ topic: PAYMENTS, from: 1, until: 3 }] });
  // What the one that is said to have begun with a backfill has never been folded by it.
  const { history } = options;
  expect(() => oneKeyTask({ ...options, history: { ...history, run: 'backfill-fraud-v1' } }, context)).toThrow(
    'the state began live, and is to go on as if it had begun with backfill backfill-fraud-v1',
  );
}); // prettier-ignore
