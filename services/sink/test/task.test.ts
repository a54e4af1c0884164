import { describe, expect, test } from '@jest/globals';
import { Bad } from '@millrace/avro';
import type { PredictionValue } from '@millrace/contracts';
import type { InboundBatch, Outcomes } from '@millrace/stream';
import { noMetrics, noTracing, type SpanOptions, type Tracing, turnedClock } from '@millrace/telemetry';
import type { Database } from '../src/postgres/database.ts';
import { StoreTask } from '../src/task.ts';

const at = { clusterId: 'c', group: 'g', topic: 'p', topicId: 'i', partition: 0 };
type Nothing = Record<string, never>;

interface Call {
  readonly expected: number;
  readonly next: number;
  readonly ids: readonly string[];
}

/** A database that answers when told to. */
const fakeDatabase = () => {
  const calls: Call[] = [];
  const waiting: { answer: () => void; refuse: (error: Error) => void }[] = [];
  const store: Database['store'] = (_at, expected, next, _pipeline, rows) =>
    new Promise((resolve, reject) => {
      calls.push({ expected, next, ids: rows.map(r => r.prediction.predictionId) });
      waiting.push({ answer: resolve, refuse: reject });
    });
  return { calls, database: { store } as Database, next: () => waiting.shift()! };
};

const batch = (offset: number, values: (string | Bad | null)[]): InboundBatch<PredictionValue> => ({
  ...at,
  length: values.length,
  offset: i => offset + i,
  appendTimeMs: () => 0,
  key: () => null,
  bytes: () => null,
  header: () => undefined,
  value: i => {
    const value = values[i]!;
    return typeof value === 'string' ? ({ predictionId: value, appendTime: 0 } as PredictionValue) : value;
  },
});

const outcomes = (): { closed: string[]; out: Outcomes<Nothing> } => {
  const closed: string[] = [];
  const out = {
    done: (i: number) => closed.push(`done ${i}`),
    skip: (i: number, reason: string) => closed.push(`skip ${i} ${reason}`),
    reject: (i: number, reason: string) => closed.push(`reject ${i} ${reason}`),
  } as unknown as Outcomes<Nothing>;
  return { closed, out };
};

const makeTask = (database: Database, storedNext = 0, tracing = noTracing): StoreTask =>
  new StoreTask({
    pipeline: 'p',
    at,
    storedNext,
    rowsMax: 3,
    database,
    clock: turnedClock(0),
    metrics: noMetrics,
    tracing,
  });

const settle = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

describe('storing one partition', () => {
  test('nothing is closed before the database has it; bad values and tombstones move the offset too', async () => {
    const { calls, database, next } = fakeDatabase();
    const { closed, out } = outcomes();
    const handled = makeTask(database).handle(batch(5, ['a', null, new Bad('bad-value', 'no')]), out);
    await settle();
    expect(calls).toEqual([{ expected: 0, next: 8, ids: ['a'] }]);
    expect(closed).toEqual([]);
    next().answer();
    await handled;
    expect(closed).toEqual(['done 0', 'skip 1 tombstone', 'reject 2 bad-value']);
  });

  test('what is stored together is one span, linked to the traces of its rows', async () => {
    const spans: [string, SpanOptions][] = [];
    const tracing: Tracing = {
      span: (name, options, work) => {
        spans.push([name, options]);
        return noTracing.span(name, options, work);
      },
    };
    const { database, next } = fakeDatabase();
    const traced = batch(0, ['a', 'b']);
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const value = (i: number): PredictionValue =>
      ({ predictionId: `${i}`, appendTime: 0, traceparent: i === 0 ? traceparent : null }) as PredictionValue;
    const handled = makeTask(database, 0, tracing).handle({ ...traced, value }, outcomes().out);
    await settle();
    next().answer();
    await handled;
    expect(spans).toMatchObject([
      [
        'process p',
        { kind: 'consumer', links: [traceparent], attributes: { 'messaging.batch.message_count': 2 } },
      ],
    ]);
  });

  test('batches that wait go together up to the mark, in order, each from where the last ended', async () => {
    const { calls, database, next } = fakeDatabase();
    const task = makeTask(database);
    const all = [batch(0, ['a']), batch(1, ['b', 'c']), batch(3, ['d']), batch(4, ['e'])].map(b =>
      task.handle(b, outcomes().out),
    );
    for (let i = 0; i < 3; i++) {
      await settle();
      next().answer();
    }
    await Promise.all(all);
    expect(calls).toEqual([
      { expected: 0, next: 1, ids: ['a'] },
      { expected: 1, next: 4, ids: ['b', 'c', 'd'] },
      { expected: 4, next: 5, ids: ['e'] },
    ]);
  });

  test('what the database has already is closed without being written again', async () => {
    const { calls, database, next } = fakeDatabase();
    const { closed, out } = outcomes();
    const task = makeTask(database, 2);
    await task.handle(batch(0, ['a', 'b']), out);
    expect(calls).toEqual([]);
    expect(closed).toEqual(['done 0', 'done 1']);
    const handled = task.handle(batch(1, ['b', 'c']), out);
    await settle();
    next().answer();
    await handled;
    expect(calls).toEqual([{ expected: 2, next: 3, ids: ['c'] }]);
  });

  test('a refused transaction fails every batch that waits: the task is made anew from what is stored', async () => {
    const { database, next } = fakeDatabase();
    const task = makeTask(database);
    const { closed, out } = outcomes();
    const all = [batch(0, ['a']), batch(1, ['b'])].map(b => task.handle(b, out));
    const results = Promise.allSettled(all);
    await settle();
    next().refuse(new Error('gone'));
    expect((await results).map(r => r.status)).toEqual(['rejected', 'rejected']);
    expect(closed).toEqual([]);
  });
});
