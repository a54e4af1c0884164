/** Schedulers on a broker in memory, with nights that score: who leads, and what is left of a night whose leader is gone. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { SCHEDULE } from '@millrace/contracts';
import type { Component } from '@millrace/runtime';
import type { MemoryBroker } from '@millrace/stream';
import { type Clock, noLogger, noMetrics, systemClock } from '@millrace/telemetry';
import type { MakeScorer } from '@millrace/model';
import { nightScheduler, RunLog } from '../../src/index.ts';
import { slotRun } from '../../src/schedule/slots.ts';
import { fakeScorer, type Prediction, until, vectorOf, World, writeModel } from '../harness.ts';
import { nightIn } from '../nightIn.ts';
import { MINUTE_MS, scheduled } from './townHall.ts';

const ENTITIES = 200;
const SESSION_MS = 300;
const PIPELINE = scheduled({ cron: '* * * * *', timeZone: 'UTC', startWithin: '5m', takesAtMost: '5m' });

let world: World;
let running: Component[];

/** What our clock is ahead of the system's, milliseconds. */
let aheadMs: number;
const clock: Clock = {
  now: () => systemClock.now() + aheadMs,
  sleep: (ms, signal) => systemClock.sleep(ms, signal),
};

/** Sets the clock to a full minute, once the schedule is kept. @returns the run of that minute */
const passMinute = async (): Promise<string> => {
  const log = await RunLog.open(world.ground.broker, world.ground.registry);
  await until(async () => (await log.of(SCHEDULE)).length > 0, 'the schedule is kept');
  const dueMs = Math.ceil(clock.now() / MINUTE_MS) * MINUTE_MS;
  aheadMs = dueMs - systemClock.now();
  return slotRun(PIPELINE, dueMs);
};

const scheduler = async (by: string, makeScorer: MakeScorer = fakeScorer) => {
  const broker = (world.ground.broker as MemoryBroker).connect();
  const part = nightScheduler({
    pipelines: [PIPELINE],
    broker,
    registry: world.ground.registry,
    night: async (_, run, signal) => {
      await nightIn(world, { broker, run, signal, clock, makeScorer, by, sessionTimeoutMs: SESSION_MS });
    },
    by,
    lookMs: 50,
    sessionTimeoutMs: SESSION_MS,
    clock,
    metrics: noMetrics,
    logger: noLogger,
  });
  running.push(part);
  await part.start(new AbortController().signal);
  await until(() => part.notReady?.() === undefined, 'the scheduler has a role');
  return { part, broker };
};

const recordsOf = async (run: string) => {
  const log = await RunLog.open(world.ground.broker, world.ground.registry);
  return (await log.of(run)).map(({ state, by }) => `${state} ${by}`);
};
const ofRun = async (run: string): Promise<Prediction[]> =>
  (await world.predictions()).filter(({ runId }) => runId === run);

beforeEach(async () => {
  running = [];
  // In the midst of a minute.
  aheadMs = MINUTE_MS / 2 - (systemClock.now() % MINUTE_MS);
  world = await World.open();
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1_024 });
  await world.alias('1');
  await world.vectors(
    Array.from({ length: ENTITIES }, (_, n) => vectorOf(n + 100, { entity: `client-${n}` })),
  );
});
afterEach(async () => {
  for (const part of running) await part.stop(1_000);
  await world.close();
});

test('of two schedulers one begins the night, and each entity is scored once', async () => {
  await scheduler('one');
  await scheduler('two');
  const run = await passMinute();
  await until(async () => (await recordsOf(run)).includes('done one'), 'the night is done');
  expect(await recordsOf(run)).toEqual(['started one', 'captured one', 'done one']);
  const found = await ofRun(run);
  expect(new Set(found.map(({ entity }) => entity)).size).toBe(ENTITIES);
  expect(found).toHaveLength(ENTITIES);
});

test('when the leader falls silent in the midst of it, the other goes on with the same run', async () => {
  const held = Promise.withResolvers<void>();
  let scored = 0;
  const stuck: MakeScorer = async (bytes, manifest) => {
    const scorer = await fakeScorer(bytes, manifest);
    const score: typeof scorer.score = async rows => {
      if (scored > ENTITIES / 4) await held.promise;
      scored += rows.rows;
      return scorer.score(rows);
    };
    return { ...scorer, score };
  };
  const one = await scheduler('one', stuck);
  await scheduler('two');
  const run = await passMinute();
  await until(async () => (await ofRun(run)).length > 0, 'the first answers of the night');
  one.broker.silence();
  await until(async () => (await recordsOf(run)).includes('done one'), 'the night is done');
  // Whoever does it, it is the run that the first one captured.
  expect(await recordsOf(run)).toEqual(['started one', 'captured one', 'started two', 'done one']);
  held.resolve();
  const found = await ofRun(run);
  expect([found.length, new Set(found.map(({ entity }) => entity)).size]).toEqual([ENTITIES, ENTITIES]);
});

test('one that is stopped in good order lets the next one lead at once', async () => {
  const one = await scheduler('one');
  await scheduler('two');
  await one.part.stop(1_000);
  const run = await passMinute();
  await until(async () => (await recordsOf(run)).includes('done two'), 'the other has done the night');
  expect(await recordsOf(run)).toEqual(['started two', 'captured two', 'done two']);
});
