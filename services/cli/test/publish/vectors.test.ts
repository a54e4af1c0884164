import { expect, test } from '@jest/globals';
import { memoryRegistry } from '@millrace/avro';
import { consumerGroup, topicsOf } from '@millrace/contracts';
import { loans } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { systemClock } from '@millrace/telemetry';
import { STILL_MS_MAX, waitForVectors } from '../../src/publish/vectors.ts';

const TOPIC = topicsOf(loans).scored;
const GROUP = consumerGroup('feature', loans);

/** A stream of three records; `sleeping` is called in each sleep, which takes no time but on its own clock. */
const open = async (sleeping: (nowMs: number) => Promise<void> = async () => undefined) => {
  let nowMs = 0;
  const sleep = async (ms: number): Promise<void> => sleeping((nowMs += ms));
  const broker = memoryBroker({ clock: systemClock });
  await broker.admin.createTopics([{ name: TOPIC, partitions: 2 }]);
  const producer = await broker.producer();
  const value = Buffer.from('v');
  await producer.send([0, 0, 1].map(partition => ({ topic: TOPIC, partition, key: null, value })));
  await producer.close();
  const told: number[] = [];
  const world = { broker, registry: memoryRegistry(), clock: { now: () => nowMs, sleep } };
  const wait = () => waitForVectors(world, loans, topicsOf(loans).scored, new AbortController().signal, left => told.push(left));
  const join = async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const member = await broker.join({ group: GROUP, topics: [TOPIC] }, { assigned: async () => resolve(), run: () => undefined, failed: () => undefined });
    await promise;
    return member;
  };
  return { broker, wait, join, told, now: () => nowMs };
}; // prettier-ignore

test('waits for as long as vectors come, and says how many are left', async () => {
  const commits = [{ atMs: STILL_MS_MAX, partition: 0, offset: 2 }, { atMs: 2 * STILL_MS_MAX, partition: 1, offset: 1 }]; // prettier-ignore
  const committing: (() => Promise<void>)[] = [];
  const { broker, wait, join, told, now } = await open(async nowMs => {
    if (nowMs >= (commits[0]?.atMs ?? Number.POSITIVE_INFINITY)) await committing.shift()!();
  });
  const member = await join();
  for (let i = 0; i < 2; i++)
    committing.push(async () => {
      const { partition, offset } = commits.shift()!;
      await member.commit([{ topic: TOPIC, partition, offset }]);
    });
  expect(await wait()).toEqual({ state: 'there', left: 0 });
  // The wait for the second began anew with the first.
  expect([[...new Set(told)], now()]).toEqual([[3, 1], 2 * STILL_MS_MAX]);
  await broker.close();
});

test('gives up where none comes, and at once where nobody makes them', async () => {
  const { broker, wait, join, now } = await open();
  expect([await wait(), now()]).toEqual([{ state: 'nobody', left: 3 }, 0]);
  await join();
  expect(await wait()).toEqual({ state: 'behind', left: 3 });
  expect(now()).toBeGreaterThan(STILL_MS_MAX);
  await broker.close();
});
