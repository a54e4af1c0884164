import { afterEach, describe, expect, test } from '@jest/globals';
import { topicsOf } from '@millrace/contracts';
import { compareOrder, type FoldEvent } from '@millrace/features';
import type { SimulatedEvent } from '@millrace/pipelines';
import type { Broker } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import type { FeatureSettings } from '../../src/config.ts';
import {
  diedBefore, doomed, endsOf, expectedOf, openTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until,
} from './town.ts'; // prettier-ignore

const running: RunningService[] = [];
const towns: Town[] = [];
const town = async (pipeline = testPipeline): Promise<Town> => {
  const opened = await openTown(pipeline);
  towns.push(opened);
  return opened;
};
const start = async (
  at: Town,
  broker: Broker = at.broker,
  settings: Partial<FeatureSettings> = {},
): Promise<RunningService> => {
  const service = await startService({ ...at, broker }, at.clock, settings);
  running.push(service);
  return service;
};

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

const scored = (events: readonly SimulatedEvent[]): number =>
  events.filter(({ stream }) => stream === 'transactions').length;
const answered = (at: Town, count: number) => async (): Promise<boolean> =>
  (await readVectors(at)).length >= count;

async function expectIdealVectors(at: Town, published: Parameters<typeof expectedOf>[1]): Promise<void> {
  const expected = expectedOf(at.pipeline, published);
  const written = await readVectors(at);
  expect(written.length).toBe(expected.size);
  const names = Object.keys(written[0]!.value.features);
  for (const { value, key } of written) {
    const { values, event } = expected.get(value.eventId)!;
    expect({ id: value.eventId, values: names.map(name => value.features[name]) }).toEqual({
      id: value.eventId,
      values: [...values],
    });
    expect(key).toBe(event.fields['customerId']);
    expect([value.sourcePartition, value.sourceOffset]).toEqual([event.partition, event.offset]);
  }
}

describe('a pipeline with two keys', () => {
  test('gives each event the vector of a fold in order, labels counted', async () => {
    const at = await town();
    const events = someEvents(700);
    const published = await publish(at, events);
    expect(published).toEqual([...published].sort(compareOrder));
    await start(at);
    await until(answered(at, scored(events)));
    await expectIdealVectors(at, published);
    const risky = (await readVectors(at)).filter(
      ({ value }) => (value.features['terminalTxCount1d'] ?? 0) > 0,
    );
    expect(risky.length).toBeGreaterThan(0);
  });

  test('writes nothing once it has come to rest', async () => {
    const at = await town();
    const events = someEvents(60);
    await publish(at, events);
    await start(at);
    await until(answered(at, scored(events)));
    let before = await endsOf(at);
    await until(async () => {
      await systemClock.sleep(300);
      const now = await endsOf(at);
      const isQuiet = [...now].every(([place, offset]) => before.get(place) === offset);
      before = now;
      return isQuiet;
    });
    await systemClock.sleep(500);
    expect(await endsOf(at)).toEqual(before);
  });

  test('answers each event once, and the same, after kills in its midst', async () => {
    const at = await town();
    const events = someEvents(800, 2);
    const total = scored(events);
    const published: FoldEvent[] = [];
    const settings = { epochsAheadMax: 2, sessionTimeoutMs: 200 };
    // Each life finds a share of the events, and ends after so many commits, of whatever task.
    const lives = [5, 9, 3, 14, 7, 11, 20, 12];
    let kills = 0;
    for (const [i, commits] of lives.entries()) {
      published.push(...(await publish(at, events.slice(i * 100, (i + 1) * 100))));
      const { broker, dead } = doomed(at.broker, commits);
      const life = await start(at, broker, settings);
      if (await diedBefore(dead, answered(at, scored(events.slice(0, (i + 1) * 100))))) kills++;
      else await life.stop();
    }
    expect(kills).toBeGreaterThan(lives.length / 2);
    const last = await start(at, at.broker, settings);
    await until(answered(at, total));
    await last.stop();
    await start(at);
    await systemClock.sleep(300);
    await expectIdealVectors(at, published);
  });

  test('releases an entity in source order while events come in, each once', async () => {
    const at = await town();
    await start(at);
    const events = someEvents(500, 3);
    const published = await publish(at, events, 0);
    await until(answered(at, scored(events)));
    const written = await readVectors(at);
    const expected = expectedOf(at.pipeline, published);
    expect(written.length).toBe(expected.size);
    const { features } = topicsOf(at.pipeline);
    const last = new Map<number, number>();
    for (const { value, topic, partition } of written) {
      expect(topic).toBe(features); // each customer's events came in time order
      expect(partition).toBe(value.sourcePartition);
      expect(value.sourceOffset).toBeGreaterThan(last.get(partition) ?? -1);
      last.set(partition, value.sourceOffset);
      const ideal = expected.get(value.eventId)!.values;
      Object.entries(value.features).forEach(([name, found], i) => {
        if (!name.startsWith('terminal')) expect([name, found]).toEqual([name, ideal[i]]);
      });
    }
  });
});
