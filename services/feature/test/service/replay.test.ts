/** A set that begins with a backfill: whatever the arrival was, its vectors are those of one fold in order time. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Pipeline } from '@millrace/define';
import type { FoldEvent } from '@millrace/features';
import { type Broker } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { captureBackfill } from '../../src/index.ts';
import {
  diedBefore, doomed, expectedOf, oneKeyPipeline, openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until,
} from './town.ts'; // prettier-ignore

const DAY_MS = 86_400_000;
const running: RunningService[] = [];
const towns: Town[] = [];
const town = async (pipeline: Pipeline, runRecordsMax?: number): Promise<Town> => {
  const opened = await openTown(pipeline, runRecordsMax);
  towns.push(opened);
  return opened;
};
const start = async (at: Town, broker: Broker = at.broker, epochsAheadMax = 20): Promise<RunningService> => {
  const service = await startService({ ...at, broker }, at.clock, { sessionTimeoutMs: 200, epochsAheadMax });
  running.push(service);
  return service;
};
const capture = (at: Town, disorderMs = 0) =>
  captureBackfill({ ...at, sliceMs: DAY_MS / 4, disorderMs, by: 'test' });

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

/** A third of the payments were frauds, so that labels show. */
const events = (count: number, seed = 1): ReturnType<typeof someEvents> =>
  someEvents(count, seed).map(event =>
    event.stream === 'labels'
      ? { ...event, value: { ...event.value, isFraud: event.value.sequence % 3 === 0 } }
      : event,
  );

const streamOf = (events: ReturnType<typeof someEvents>, stream: string) =>
  events.filter(event => event.stream === stream);

/** All payments first, then all labels: live, no vector would see a label. */
const publishApart = async (at: Town, events: ReturnType<typeof someEvents>): Promise<FoldEvent[]> => [
  ...(await publish(at, streamOf(events, 'transactions'))),
  ...(await publish(at, streamOf(events, 'labels'))),
];

const differing = async (at: Town, published: readonly FoldEvent[]): Promise<number> => {
  const expected = expectedOf(at.pipeline, published);
  const written = await readVectors(at);
  expect(written.length).toBe(expected.size);
  return written.filter(({ value }) => {
    const { values } = expected.get(value.eventId)!;
    return Object.values(value.features).some((found, i) => !Object.is(found, values[i]));
  }).length;
};
const answered = (at: Town, count: number) => async (): Promise<boolean> =>
  (await readVectors(at)).length >= count;

describe.each([
  ['several keys', testPipeline],
  ['one key', oneKeyPipeline],
])('with %s', (_, pipeline) => {
  test('labels that came after everything count where they were known, and live they would not', async () => {
    const all = events(700);
    const count = streamOf(all, 'transactions').length;
    const replayed = await town(pipeline);
    const published = await publishApart(replayed, all);
    await capture(replayed);
    await start(replayed);
    await until(answered(replayed, count));
    expect(await differing(replayed, published)).toBe(0);

    const live = await town(pipeline);
    const same = await publishApart(live, all);
    await start(live);
    await until(answered(live, count));
    expect(await differing(live, same)).toBeGreaterThan(0);
  });

  test('kills in its midst change nothing, and the live stream goes on behind it', async () => {
    // In small runs, so that each task needs many commits.
    const at = await town(pipeline, 10);
    const all = events(600, 2);
    const [past, later] = [all.slice(0, 400), all.slice(400)];
    const published = await publishApart(at, past);
    await capture(at);
    const isAnswered = answered(at, streamOf(past, 'transactions').length);
    let kills = 0;
    for (const commits of [2, 3, 1, 4, 2]) {
      const { broker, dead } = doomed(at.broker, commits);
      const life = await start(at, broker, 2);
      if (await diedBefore(dead, isAnswered)) kills++;
      else await life.stop();
    }
    expect(kills).toBeGreaterThan(1);
    await start(at);
    await until(isAnswered);
    expect(await differing(at, published)).toBe(0);
    const [payment] = streamOf(later, 'transactions');
    published.push(...(await publish(at, [payment!])));
    await until(answered(at, streamOf(past, 'transactions').length + 1));
    expect(await differing(at, published)).toBe(0);
  });

  test('the stretch is fixed once, and state that began live is not begun again', async () => {
    const at = await town(pipeline);
    await publishApart(at, events(100));
    const first = await start(at);
    await until(answered(at, 1));
    await first.stop();
    const run = await capture(at);
    await publish(at, events(10, 3));
    expect(await capture(at)).toEqual(run);
    const again = await start(at);
    await expect(again.component.failed).rejects.toThrow('the state began live');
  });
});

test('a disorder that the pause could not pass is refused by its figures', async () => {
  const at = await town(testPipeline);
  await publishApart(at, events(20));
  await capture(at, 30 * DAY_MS);
  const service = await start(at);
  await expect(service.component.failed).rejects.toThrow('epochsAheadMax is 20 and must be at least 121');
  await systemClock.sleep(0);
});
