import { describe, expect, test } from '@jest/globals';
import { Bad } from '@millrace/avro';
import type { PredictionValue } from '@millrace/contracts';
import { Outage } from '@millrace/runtime';
import type { InboundBatch, Outcomes } from '@millrace/stream';
import { noMetrics, noTracing, type SpanOptions, type Tracing, turnedClock } from '@millrace/telemetry';
import type { Database } from '../src/postgres/database.ts';
import { BadRows, DatabaseAway } from '../src/postgres/errors.ts';
import { StoreTask } from '../src/task.ts';

const at = { clusterId: 'c', group: 'g', topic: 'p', topicId: 'i', partition: 0 };
type Nothing = Record<string, never>;

interface Call {
  readonly expected: number;
  readonly next: number;
  readonly ids: readonly string[];
}

type Stored = Pick<Database, 'store' | 'storedIds'>;

/** A database that answers when told to. @param there ids of rows that it has */
const fakeDatabase = (there: readonly string[] = []) => {
  const calls: Call[] = [];
  const waiting: { answer: () => void; refuse: (error: Error) => void }[] = [];
  const store: Database['store'] = (_at, expected, next, _pipeline, rows) =>
    new Promise((resolve, reject) => {
      calls.push({ expected, next, ids: rows.map(r => r.prediction.predictionId) });
      waiting.push({ answer: resolve, refuse: reject });
    });
  const storedIds: Database['storedIds'] = async ids => new Set(ids.filter(id => there.includes(id)));
  return { calls, database: { store, storedIds }, next: () => waiting.shift()! };
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

const makeTask = (
  database: Stored,
  storedNext = 0,
  { tracing = noTracing, clock = turnedClock(0), signal = new AbortController().signal } = {},
): StoreTask =>
  new StoreTask({
    pipeline: 'p',
    at,
    storedNext,
    rowsMax: 3,
    database,
    outage: new Outage({ dependency: 'database', clock }),
    clock,
    metrics: noMetrics,
    tracing,
    signal,
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
    const handled = makeTask(database, 0, { tracing }).handle({ ...traced, value }, outcomes().out);
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
    const { calls, database, next } = fakeDatabase(['a', 'b']);
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

  test('a row below the stored offset that is not there was refused: it is tried again, and rejected again', async () => {
    const { calls, database, next } = fakeDatabase(['a']);
    const { closed, out } = outcomes();
    const handled = makeTask(database, 2).handle(batch(0, ['a', 'bad']), out);
    await settle();
    next().refuse(new BadRows('no'));
    await settle();
    next().answer();
    await handled;
    expect(calls).toEqual([
      { expected: 2, next: 2, ids: ['bad'] },
      { expected: 2, next: 2, ids: [] },
    ]);
    expect(closed).toEqual(['done 0', 'reject 1 bad-value']);
  });

  test('rows that the database cannot hold are halved out and rejected; the others are stored, in order', async () => {
    const { calls, database, next } = fakeDatabase();
    const { closed, out } = outcomes();
    const handled = makeTask(database).handle(batch(0, ['a', 'bad', 'c', 'd']), out);
    const isBad = ({ ids }: Call): boolean => ids.includes('bad');
    for (let answered = 0; closed.length === 0; answered++) {
      await settle();
      const call = calls[answered];
      if (call === undefined) continue; // All is answered; the records are closed in the next turn.
      if (isBad(call)) next().refuse(new BadRows('no'));
      else next().answer();
    }
    await handled;
    expect(calls.filter(call => !isBad(call))).toEqual([
      { expected: 0, next: 1, ids: ['a'] },
      { expected: 1, next: 2, ids: [] },
      { expected: 2, next: 4, ids: ['c', 'd'] },
    ]);
    expect(closed).toEqual(['done 0', 'reject 1 bad-value', 'done 2', 'done 3']);
  });

  test('a database that is away is asked again, as long as it takes; the next batch waits behind', async () => {
    const { calls, database, next } = fakeDatabase();
    const { closed, out } = outcomes();
    const clock = turnedClock(0);
    const task = makeTask(database, 0, { clock });
    const all = [batch(0, ['a']), batch(1, ['b'])].map(one => task.handle(one, out));
    for (let i = 0; i < 1_000; i++) {
      await settle();
      next().refuse(new DatabaseAway('gone'));
      await clock.turn(2_000);
    }
    expect(closed).toEqual([]);
    next().answer();
    await settle();
    next().answer();
    await Promise.all(all);
    expect(closed).toEqual(['done 0', 'done 0']);
    expect(calls.at(-2)).toEqual({ expected: 0, next: 1, ids: ['a'] });
    expect(calls.at(-1)).toEqual({ expected: 1, next: 2, ids: ['b'] });
  });

  test('a task that has ended waits no longer', async () => {
    const { database, next } = fakeDatabase();
    const ending = new AbortController();
    const handled = makeTask(database, 0, { signal: ending.signal }).handle(batch(0, ['a']), outcomes().out);
    await settle();
    next().refuse(new DatabaseAway('gone'));
    await settle();
    ending.abort(new Error('revoked'));
    await expect(handled).rejects.toThrow('revoked');
  });

  test('a gap behind the last row is stored as read, at most once a minute, and not while rows are', async () => {
    const { calls, database, next } = fakeDatabase();
    const clock = turnedClock(0);
    const task = makeTask(database, 5, { clock });
    const caughtUp = async (offset: number): Promise<void> => {
      task.onCaughtUp({ ...at, offset });
      await settle();
    };
    await caughtUp(5);
    expect(calls).toEqual([]);
    const handled = task.handle(batch(5, ['a']), outcomes().out);
    await caughtUp(7);
    next().answer();
    await handled;
    await caughtUp(7);
    next().answer();
    await settle();
    await caughtUp(8);
    await clock.turn(60_000);
    await caughtUp(8);
    next().answer();
    expect(calls).toEqual([
      { expected: 5, next: 6, ids: ['a'] },
      { expected: 6, next: 7, ids: [] },
      { expected: 7, next: 8, ids: [] },
    ]);
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
