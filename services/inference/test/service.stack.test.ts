import { afterAll, expect } from '@jest/globals';
import { systemClock } from '@millrace/telemetry';
import { stackTest } from '../../../test/jest/stack.ts';
import { POISON, until, vectorOf } from './harness.ts';
import { openStackWorld } from './stackWorld.ts';

const LIMIT_MS = 60_000;
const ROWS = 600;
const closing: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

stackTest(
  'on Kafka: two instances share the work, each vector is answered, a stop in the middle loses and doubles nothing',
  async () => {
    const { world, close } = await openStackWorld();
    closing.push(close);

    const signal = new AbortController().signal;
    const [first, second] = [world.start(), world.start({ instance: 'second' })];
    await Promise.all([first.start(signal), second.start(signal)]);
    const ready = async (service: typeof first): Promise<void> => {
      for (let tries = 0; tries < 200 && service.notReady?.() !== undefined; tries++)
        await systemClock.sleep(50);
      expect(service.notReady?.()).toBeUndefined();
    };
    await Promise.all([ready(first), ready(second)]);
    const vectors = Array.from({ length: ROWS }, (_, i) => vectorOf(100 + i));
    await world.vectors([...vectors.slice(0, ROWS / 2), vectorOf(POISON, { entity: 'poison' })]);
    await world.scored(1);
    await first.stop(5_000);
    await world.vectors(vectors.slice(ROWS / 2));

    await until(async () => (await world.predictions()).length >= ROWS, 'every vector is answered');
    const found = await world.predictions();
    expect(found.map(one => one.eventId).sort()).toEqual(vectors.map(vector => vector.eventId).sort());
    for (const one of found) {
      expect(one.outputs).toEqual({ score: Math.fround(one.sequence / 1024) });
      expect(one).toMatchObject({ model: 'fraud', modelVersion: '1', fallback: null });
    }
    await until(async () => (await world.deadLetters()).length > 0, 'the poison is a dead letter');
    expect((await world.deadLetters()).map(([key]) => key)).toEqual(['poison']);
  },
  3 * LIMIT_MS,
);
