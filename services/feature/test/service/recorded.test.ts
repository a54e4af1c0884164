/** A live stretch run again with the epochs that its tasks have written down: every vector is the same to the last bit. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Run } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { captureBackfill } from '../../src/index.ts';
import {
  diedBefore, doomed, oneKeyPipeline, openTown, prepareTown, publish, readVectors, type RunningService, someEvents, startService, testPipeline, type Town, until, type Written,
} from './town.ts'; // prettier-ignore

const running: RunningService[] = [];
const towns: Town[] = [];

afterEach(async () => {
  for (const service of running.splice(0)) await service.stop();
  for (const { broker } of towns.splice(0)) await broker.close();
});

const town = async (pipeline: Pipeline): Promise<Town> => {
  const opened = await openTown(pipeline);
  towns.push(opened);
  return opened;
};

/** The same set under another version, with topics of its own, in the same place. */
const again = async (at: Town, version: number): Promise<Town> => {
  const pipeline: Pipeline = { ...at.pipeline, features: { ...at.pipeline.features, version } };
  const other = { ...at, pipeline };
  await prepareTown(other);
  return other;
};

const start = async (at: Town, broker: Town['broker'] | ReturnType<typeof doomed>['broker'] = at.broker): Promise<RunningService> => {
  const service = await startService({ ...at, broker }, at.clock, { sessionTimeoutMs: 200 });
  running.push(service);
  return service;
}; // prettier-ignore
const stopAll = async (): Promise<void> => {
  for (const service of running.splice(0)) await service.stop();
};

/** A third of the payments were frauds, and a label now and then comes just after a payment that should have seen it. */
const events = (count: number, seed: number): ReturnType<typeof someEvents> => {
  const all = [...someEvents(count, seed)].map(event =>
    event.stream === 'labels'
      ? { ...event, value: { ...event.value, isFraud: event.value.sequence % 3 === 0 } }
      : event,
  );
  for (let i = 0; i + 3 < all.length; i += 2) [all[i], all[i + 3]] = [all[i + 3]!, all[i]!];
  return all;
};
const paymentsIn = (all: ReturnType<typeof someEvents>): number =>
  all.filter(({ stream }) => stream === 'transactions').length;

/** Of what is known of a vector, all but the version of the set; numbers by their bits. */
const bitsOf = ({ value, key, partition, topic }: Written): string => {
  const { featureSet: _, featureSetHash: __, features, ...rest } = value;
  const bits = Buffer.from(Float32Array.from(Object.values(features)).buffer).toString('hex');
  return JSON.stringify([rest, bits, key, partition, topic.endsWith('.aside')]);
};
const all = async (at: Town): Promise<readonly string[]> => (await readVectors(at)).map(bitsOf);
const answered = (at: Town, count: number) => async (): Promise<boolean> =>
  (await readVectors(at)).length >= count;

/** Vectors, in whatever order partitions are read, that one side has and the other has not. */
const differing = (a: readonly string[], b: readonly string[]): number => {
  const known = new Set(b);
  return a.filter(one => !known.has(one)).length + Math.abs(a.length - b.length);
};

const capture = (at: Town, epochsOf: number | undefined): Promise<Run> =>
  captureBackfill({ ...at, sliceMs: 3_600_000, disorderMs: 0, by: 'test', ...(epochsOf !== undefined && { epochsOf }) }); // prettier-ignore

describe.each([
  ['several keys', testPipeline],
  ['one key', oneKeyPipeline],
])('with %s', (_, pipeline) => {
  test('with deaths in both runs, and in its order on the topic; by slices of order time it differs', async () => {
    const first = await town(pipeline);
    const some = events(700, 5);
    const client = doomed(first.broker, 25);
    await start(first, client.broker);
    await publish(first, some.slice(0, 350));
    await diedBefore(client.dead, answered(first, paymentsIn(some.slice(0, 350))));
    await start(first);
    await publish(first, some.slice(350));
    await until(answered(first, paymentsIn(some)));
    await stopAll();

    const second = await again(first, 2);
    const run = await capture(second, 1);
    expect(run).toMatchObject({ epochsOf: 1, slice: expect.arrayContaining([]) });
    const dying = doomed(second.broker, 10);
    await start(second, dying.broker);
    await diedBefore(dying.dead, answered(second, paymentsIn(some)));
    await start(second);
    await until(answered(second, paymentsIn(some)));
    const before = await all(first);
    expect(await all(second)).toEqual(before);
    await stopAll();

    const bySlices = await again(first, 3);
    await capture(bySlices, undefined);
    await start(bySlices);
    await until(answered(bySlices, paymentsIn(some)));
    expect(differing(await all(bySlices), before)).toBeGreaterThan(0);
  }, 60_000);

  test('after a replay, up to where all had come, and then live; and that again by a third version', async () => {
  const first = await town(pipeline);
  const some = events(900, 6);
  await publish(first, some.slice(0, 300));
  await captureBackfill({ ...first, sliceMs: 21_600_000, disorderMs: 86_400_000, by: 'test' });
  await start(first);
  await publish(first, some.slice(300, 600));
  await until(answered(first, paymentsIn(some.slice(0, 600))));
  const second = await again(first, 2);
  const run = await capture(second, 1);
  expect(run.sliceMs).toBe(21_600_000);
  await publish(first, some.slice(600));
  await start(second);
  await until(answered(first, paymentsIn(some)));
  await until(answered(second, paymentsIn(some)));
  const inStretch = (vectors: readonly Written[]): readonly string[] =>
    vectors
      .filter(({ value: { sourceTopic, sourcePartition, sourceOffset } }) => {
        const of = run.slice.find(({ topic, partition }) => topic === sourceTopic && partition === sourcePartition);
        return sourceOffset < of!.until;
      })
      .map(bitsOf);
  const before = inStretch(await readVectors(first));
  expect(before.length).toBeGreaterThan(paymentsIn(some.slice(0, 500)));
  expect(inStretch(await readVectors(second))).toEqual(before);

  const third = await again(first, 3);
  await capture(third, 2);
  await start(third);
  await until(answered(third, paymentsIn(some)));
  expect(differing(await all(third), await all(second))).toBe(0);
}, 60_000); // prettier-ignore
});

test('what is not there is said: no live epoch, and epochs that are gone', async () => {
  const first = await town(testPipeline);
  await publish(first, events(40, 7));
  const second = await again(first, 2);
  await expect(capture(second, 1)).rejects.toThrow('has released no live epoch in all of its tasks');
});
