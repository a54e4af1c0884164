import { expect, test } from '@jest/globals';
import { appendTimes, follow, Sightings } from '../src/follow.ts';
import { memoryBroker } from '@millrace/stream';

const sightings = (): Sightings => {
  const seen = new Sightings();
  // Markers of transactions have offsets, too, so there are gaps.
  for (const [offset, atMs] of [[0, 10], [1, 10], [3, 20], [7, 30]] as const) seen.add(0, offset, atMs); // prettier-ignore
  seen.add(1, 5, 15);
  return seen;
};

test('each record has its time, and what was not seen has none', () => {
  const seen = sightings();
  expect(seen.size).toBe(5);
  expect([0, 1, 3, 7].map(offset => seen.at(0, offset))).toEqual([10, 10, 20, 30]);
  expect(seen.at(1, 5)).toBe(15);
  expect([seen.at(0, 2), seen.at(0, 8), seen.at(1, 0), seen.at(2, 0)]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('those before an offset are counted, that offset not with them, and gaps count as nothing', () => {
  const before = (first: number, second: number): number =>
    sightings().before(
      new Map([
        [0, first],
        [1, second],
      ]),
    );
  expect(before(0, 0)).toBe(0);
  expect(before(1, 5)).toBe(1);
  expect(before(3, 6)).toBe(3);
  expect(before(7, 6)).toBe(4);
  expect(before(100, 100)).toBe(5);
  expect(sightings().before(new Map())).toBe(0);
});

test('a topic is followed past where it began, and its append times are found by offset', async () => {
  let nowMs = 1_000;
  const clock = { now: () => nowMs, sleep: () => new Promise<void>(resolve => setImmediate(resolve)) };
  const broker = memoryBroker({ clock });
  const [topic, key] = ['events', null];
  await broker.admin.createTopics([{ name: topic, partitions: 1 }]);
  const producer = await broker.producer();
  const send = async (atMs: number): Promise<void> => {
    nowMs = atMs;
    await producer.send([{ topic, partition: 0, key, value: Buffer.from('x') }]);
  };
  await send(1_000);
  const from = await broker.admin.endOffsets(topic);
  await send(2_000);
  await send(3_000);
  const appendedMs = await appendTimes({ broker }, topic, from);
  expect([appendedMs(0, 1), appendedMs(0, 2)]).toEqual([2_000, 3_000]);

  nowMs = 9_000;
  const seen = new Sightings();
  const over = new AbortController();
  const following = follow({ broker, clock }, from, seen, over.signal);
  while (seen.size < 2) await new Promise(resolve => setImmediate(resolve));
  over.abort();
  await following;
  expect([seen.at(0, 0), seen.at(0, 1), seen.at(0, 2)]).toEqual([undefined, 9_000, 9_000]);
  await producer.close();
  await broker.close();
});
