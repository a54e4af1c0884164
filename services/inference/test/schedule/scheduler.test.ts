/** Schedulers on a broker in memory, with nights that score: who leads, and what is left of a night whose leader is gone. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
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
const LEAD_MS = 1_500;
const PIPELINE = scheduled({ cron: '* * * * *', timeZone: 'UTC', startWithin: '30s', takesAtMost: '30s' });

let world: World;
let clock: Clock;
let running: Component[];

/** Goes like ours, but stands shortly before a full minute now. */
const beforeTheMinute = (): Clock => {
  const nowMs = systemClock.now();
  const aheadMs = MINUTE_MS - (nowMs % MINUTE_MS) - LEAD_MS;
  return { now: () => systemClock.now() + aheadMs, sleep: systemClock.sleep };
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
  clock = beforeTheMinute();
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

/** The minute that is about to come. */
const slot = (): string => slotRun(PIPELINE, Math.ceil(clock.now() / MINUTE_MS) * MINUTE_MS);

test('of two schedulers one begins the night, and each entity is scored once', async () => {
  const run = slot();
  await scheduler('one');
  await scheduler('two');
  await until(async () => (await recordsOf(run)).includes('done one'), 'the night is done');
  expect(await recordsOf(run)).toEqual(['started one', 'captured one', 'done one']);
  const found = await ofRun(run);
  expect(new Set(found.map(({ entity }) => entity)).size).toBe(ENTITIES);
  expect(found).toHaveLength(ENTITIES);
});

test('when the leader falls silent in the midst of it, the other goes on with the same run', async () => {
  const run = slot();
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
  const run = slot();
  await until(async () => (await recordsOf(run)).includes('done two'), 'the other has done the night');
  expect(await recordsOf(run)).toEqual(['started two', 'captured two', 'done two']);
});
