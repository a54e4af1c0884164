import { expect, test } from '@jest/globals';
import { memoryBroker, type OutRecord } from '@millrace/stream';
import { systemClock, textfileMetrics, turnedClock } from '@millrace/telemetry';
import { RightOfWay } from '../../src/night/rightOfWay.ts';

const TOPIC = 'vectors';
const GROUP = 'stream';
const record = (partition: number): OutRecord => ({
  topic: TOPIC,
  partition,
  key: null,
  value: Buffer.from('v'),
});

const MEASURED = (yielding: number, seconds: number): readonly string[] => [
  `millrace_night_yielding{pipeline="credit"} ${yielding}`,
  `millrace_night_yielded_seconds_total{pipeline="credit"} ${seconds}`,
  'millrace_night_yields_total{pipeline="credit"} 1',
];

const open = async () => {
  const clock = turnedClock(0);
  const broker = memoryBroker({ clock: systemClock });
  await broker.admin.createTopics([{ name: TOPIC, partitions: 2 }]);
  const said: string[] = [];
  const textfile = textfileMetrics();
  const way = new RightOfWay({
    pipeline: 'credit', metrics: textfile.metrics, admin: broker.admin, groups: [{ group: GROUP, topics: [TOPIC] }], lagMax: 10, waitMsTotalMax: 1_000, clock, tell: line => said.push(line),
  }); // prettier-ignore
  const producer = await broker.producer();
  const send = (count: number): Promise<void> => producer.send(Array.from({ length: count }, (_, i) => record(i % 2)));
  const join = () =>
    broker.join({ group: GROUP, topics: [TOPIC] }, { assigned: async () => undefined, run: () => undefined, failed: () => undefined });
  const measured = async () => (await textfile.text()).split('\n').filter(line => line.startsWith('millrace_night_'));
  return { broker, clock, way, said, send, join, measured };
}; // prettier-ignore

test('a night waits while the stream is behind, says so, and goes on once half of it is done', async () => {
  const { broker, clock, way, said, send, join, measured } = await open();
  const member = await join();
  await send(10);
  await way.look();
  expect(way.isClosed).toBe(false);
  expect(await measured()).toEqual([
    'millrace_night_yielding{pipeline="credit"} 0',
    'millrace_night_yielded_seconds_total{pipeline="credit"} 0',
  ]);
  await send(2);
  await way.look();
  let went = false;
  const going = way.mayGoOn(new AbortController().signal).then(() => (went = true));
  await clock.turn(400);
  await member.commit([{ topic: TOPIC, partition: 0, offset: 6 }]);
  await way.look();
  expect([way.isClosed, went]).toEqual([true, false]);
  expect(await measured()).toEqual(MEASURED(1, 0.4));
  await member.commit([{ topic: TOPIC, partition: 1, offset: 1 }]);
  await way.look();
  await going;
  expect([way.isClosed, way.waitedMs]).toEqual([false, 400]);
  expect(await measured()).toEqual(MEASURED(0, 0.4));
  expect(said).toEqual([
    'the stream is 12 records behind (more than 10): the night waits',
    'the stream is 5 records behind: the night goes on',
  ]);
  await broker.close();
});

test('nobody waits for a group without members', async () => {
  const { broker, way, send } = await open();
  await send(100);
  await way.look();
  expect(way.isClosed).toBe(false);
  await broker.close();
});

test('the wait has an end: then the run is left to be gone on with', async () => {
  const { broker, clock, way, send, join } = await open();
  await join();
  await send(100);
  await way.look();
  await clock.turn(1_001);
  await expect(way.watch(new AbortController().signal)).rejects.toThrow(/behind for 1 s in all/);
  const stop = new AbortController();
  const waiting = way.mayGoOn(stop.signal);
  stop.abort();
  await waiting;
  await broker.close();
});
