import { expect, test } from '@jest/globals';
import { turnedClock } from '@millrace/telemetry';
import { FencedError } from '../../src/broker/port.ts';
import { memoryBroker } from '../../src/memory/broker.ts';
import { eventually, joinAs, out, readAll, settled, valuesOf } from '../broker/harness.ts';

test('a silent member loses its session by the clock, and its calls are those of a zombie', async () => {
  const clock = turnedClock();
  const cluster = memoryBroker({ clock });
  const other = cluster.connect();
  await cluster.admin.createTopics([{ name: 't', partitions: 2 }]);
  const options = { group: 'g', topics: ['t'], sessionTimeoutMs: 6_000 };
  const silent = await joinAs(cluster, options);
  await settled([silent], 2);
  cluster.silence();
  const heir = await joinAs(other, options);
  await eventually('one half', () => heir.owned().length === 1);
  await clock.turn(5_999);
  expect(heir.owned()).toHaveLength(1);
  await clock.turn(1);
  await eventually('all', () => heir.owned().length === 2);
  await expect(silent.commit([{ topic: 't', partition: 0, offset: 0 }])).rejects.toThrow(FencedError);
  const producer = await other.producer();
  await producer.send([out('t', 0, 'k', 'v')]);
  await eventually('the record', () => heir.seen.length === 1);
  expect(silent.seen).toEqual([]);
  await other.close();
  await cluster.close();
});

test('one that falls silent before its first generation, and comes back, is one member and not two', async () => {
  const clock = turnedClock();
  const steps: (() => void)[] = [];
  let isHeld = false;
  const cluster = memoryBroker({
    clock,
    schedule: (step, { what }) => void (isHeld && what === 'rebalance' ? steps.push(step) : step()),
  });
  await cluster.admin.createTopics([{ name: 't', partitions: 2 }]);
  isHeld = true;
  const member = await joinAs(cluster, { group: 'g', topics: ['t'], sessionTimeoutMs: 6_000 });
  cluster.silence();
  cluster.speak();
  isHeld = false;
  for (const step of steps) step();
  await eventually('both halves', () => member.owned().length === 2);
  await cluster.close();
});

test('a transaction that stays open is aborted by the clock, and its holder fenced', async () => {
  const clock = turnedClock(1_000);
  const broker = memoryBroker({ clock });
  await broker.admin.createTopics([{ name: 't', partitions: 1 }]);
  const producer = await broker.transactionalProducer('tx');
  await producer.send([out('t', 0, 'k', 'forgotten')]);
  const plain = await broker.producer();
  await plain.send([out('t', 0, 'k', 'behind')]);
  await clock.turn(19_999);
  expect(await readAll(broker, 't')).toEqual([]);
  await clock.turn(1);
  expect(valuesOf(await readAll(broker, 't'))).toEqual(['behind']);
  await expect(producer.commit()).rejects.toThrow(FencedError);
  await broker.close();
});

test('everything passes through the schedule that was handed in, and append times are the clock’s', async () => {
  const clock = turnedClock(7_000);
  const steps: (() => void)[] = [];
  const broker = memoryBroker({ clock, schedule: step => steps.push(step) });
  let created = false;
  const creating = broker.admin.createTopics([{ name: 't', partitions: 1 }]).then(() => (created = true));
  await new Promise(resolve => setImmediate(resolve));
  expect(created).toBe(false);
  const pump = async (): Promise<void> => {
    while (steps.length > 0) {
      steps.shift()!();
      await new Promise(resolve => setImmediate(resolve));
    }
  };
  await pump();
  await creating;
  const made = broker.producer();
  await pump();
  const sent = (await made).send([out('t', 0, 'k', 'v')]);
  await new Promise(resolve => setImmediate(resolve));
  await pump();
  await sent;
  const reading = readAll(broker, 't');
  for (let i = 0; i < 10; i++) {
    await new Promise(resolve => setImmediate(resolve));
    await pump();
  }
  expect((await reading).map(({ appendTimeMs }) => appendTimeMs)).toEqual([7_000]);
});

test('compaction drops tombstones when it is told to', async () => {
  const broker = memoryBroker({ clock: turnedClock() });
  await broker.admin.createTopics([{ name: 't', partitions: 1 }]);
  const producer = await broker.producer();
  await producer.send([out('t', 0, 'a', '1'), out('t', 0, 'b', '2'), out('t', 0, 'a', null)]);
  broker.compact('t');
  expect(valuesOf(await readAll(broker, 't'))).toEqual(['2', null]);
  broker.compact('t', 'drop');
  expect(valuesOf(await readAll(broker, 't'))).toEqual(['2']);
  await broker.close();
});
