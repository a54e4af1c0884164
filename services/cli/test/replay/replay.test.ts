/** Slices written again on the broker in memory, with clients that die or are overtaken on the way. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { consumerGroup, deadLetterTopic, replayGroup } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { dying, overtaken, type Step } from '../brokers.ts';
import { closeAll, connected, COPY, found, type Here, openHere, plain, records, run, runOf, send, TOPIC, TOPICS } from './replayWorld.ts'; // prettier-ignore

afterEach(closeAll);

/** What another reader finds is the slice, each record once and as it was. */
const expectCopied = async (world: Here, offsets: (partition: number, offset: number) => boolean = () => true): Promise<void> => {
  const slice = (await found(world, TOPIC)).filter(({ partition, offset }) => offsets(partition, offset));
  expect((await found(world, COPY)).map(plain)).toEqual(slice.map(plain));
}; // prettier-ignore

describe('a slice', () => {
  test('a plan does nothing; executed, each record is written once, as it was, with the run and where it came from', async () => {
    const world = await openHere();
    await send(world, records(1_300));
    const plan = await run(world, { execute: false, rate: 100 });
    expect(plan.told).toMatchObject({ executed: false, isDone: false, from: TOPIC, to: COPY, records: 1_300, rate: 100, seconds: 13, live: [] });
    expect(plan.told['slice']).toEqual(Array.from({ length: fraud.partitions }, (_, partition) => ({ partition, from: 0, until: partition < 3 ? Math.ceil((1_300 - partition) / 3) : 0 })));
    expect(await found(world, COPY)).toEqual([]);

    const done = await run(world);
    expect([done.code, done.told.run]).toEqual([0, plan.told.run]);
    expect(done.told).toMatchObject({ executed: true, written: 1_300 });
    await expectCopied(world);
    const copies = await found(world, COPY);
    expect(copies[0]!.headers.slice(0, 4)).toEqual([['__replay.run', done.told.run], ['__replay.source.topic', TOPIC], ['__replay.source.partition', '0'], ['__replay.source.offset', '0']]);
    expect(new Set(copies.map(runOf))).toEqual(new Set([done.told.run]));
    // The same words again mean the same run, also when more has come since.
    await send(world, records(3));
    const again = await run(world);
    expect([again.code, again.told['written'], again.io.said.join()]).toEqual([0, 0, expect.stringContaining('nothing was written now')]);
    expect((await run(world, { execute: false })).told).toMatchObject({ isDone: true, records: 0 });
    expect((await found(world, COPY)).length).toBe(1_300);
    // With an id of its own it is another run.
    expect((await run(world, { run: 'second' })).told).toMatchObject({ run: 'second', written: 1_303 });
  }); // prettier-ignore

  test('by offsets and partitions, both ends included', async () => {
    const world = await openHere();
    await send(world, records(60));
    expect((await run(world, { topic: `${TOPIC}:2,0`, fromOffset: 5, toOffset: 9 })).told).toMatchObject({ written: 10 });
    await expectCopied(world, (partition, offset) => partition !== 1 && offset >= 5 && offset <= 9);
    await expect(run(world, { topic: `${TOPIC}:99` })).rejects.toThrow('has no partition 99; it has 0 to');
    await expect(run(world, { fromOffset: 9, toOffset: 5 })).rejects.toThrow('--from-offset');
  }); // prettier-ignore

  test('by the time of arrival, the end not included', async () => {
    const clock = turnedClock(Date.parse('2026-11-01T00:00:00Z'));
    const world = await openHere(clock);
    for (let hour = 0; hour < 4; hour++) {
      await send(world, records(6));
      await clock.turn(3_600_000);
    }
    // Without a zone it is UTC.
    expect((await run(world, { fromDatetime: '2026-11-01T01:00:00', toDatetime: '2026-11-01T03:00:00.000Z' })).told).toMatchObject({ written: 12 });
    await expectCopied(world, (partition, offset) => partition < 3 && offset >= 2 && offset < 6);
    await expect(run(world, { toDatetime: 'soon' })).rejects.toThrow('--to-datetime');
  }); // prettier-ignore

  test('to the same topic: it ends where the topic ended, and a copy of a copy is of the last run', async () => {
    const world = await openHere();
    await send(world, records(9));
    expect((await run(world, { toTopic: TOPIC, run: 'first' })).told).toMatchObject({ written: 9 });
    expect((await run(world, { toTopic: TOPIC, run: 'second' })).told).toMatchObject({ written: 18 });
    const all = await found(world, TOPIC);
    const counts = ['first', 'second', undefined].map(id => all.filter(one => runOf(one) === id).length);
    expect(counts).toEqual([9, 18, 9]);
    expect(all.every(({ headers }) => headers.filter(([name]) => name === '__replay.run').length < 2)).toBe(
      true,
    );
  });

  test('to a topic of another number of partitions: where the key belongs', async () => {
    const world = await openHere();
    await world.broker.admin.createTopics([{ name: 'narrow', partitions: 2 }]);
    await send(world, records(20));
    await run(world, { toTopic: 'narrow' });
    const copies = await found(world, 'narrow');
    expect(copies.length).toBe(20);
    for (const { key, partition } of copies)
      if (key !== null) expect(partition).toBe(murmur2Partition(Buffer.from(key, 'hex'), 2));
  });

  test('what retention has taken is told, and what it takes meanwhile ends the run', async () => {
    const world = await openHere();
    await send(world, records(1_300));
    world.broker.dropBefore(TOPIC, 1, 4);
    expect((await run(world, { execute: false, topic: `${TOPIC}:0,1`, fromOffset: 1 })).told).toMatchObject({ gone: 3, records: 433 + 429 });
    await expect(run({ ...world, broker: dying(world.broker, 'commit', 'after', 2) }, { run: 'slow' })).rejects.toThrow('dead');
    world.broker.dropBefore(TOPIC, 2, 8);
    await expect(run(world, { run: 'slow' })).rejects.toThrow('out of range');
  }); // prettier-ignore
});

describe('killed and asked for again', () => {
  const deaths: readonly (readonly [Step, 'before' | 'after', number])[] = [
    ['sendOffsets', 'before', 1], ['commit', 'before', 1], ['commit', 'after', 1], // while it begins
    ['send', 'before', 1], ['send', 'after', 1], ['sendOffsets', 'before', 2], ['sendOffsets', 'after', 2], ['commit', 'before', 2], ['commit', 'after', 2],
    ['send', 'after', 3], ['commit', 'before', 4], ['commit', 'after', 4],
  ]; // prettier-ignore
  test.each(deaths)('dead at %s (%s, call %d): each record is there once', async (step, when, nth) => {
    const world = await openHere();
    await send(world, records(1_300));
    const dead = { ...world, broker: dying(world.broker, step, when, nth) };
    await expect(run(dead)).rejects.toThrow('this client is dead');
    const again = await run(world);
    expect(again.code).toBe(0);
    await expectCopied(world);
    expect((await run(world)).told).toMatchObject({ written: 0 });
    expect((await found(world, COPY)).length).toBe(1_300);
  });

  test('what came since it began is not of it', async () => {
    const world = await openHere();
    await send(world, records(900));
    await expect(run({ ...world, broker: dying(world.broker, 'commit', 'after', 2) })).rejects.toThrow(
      'dead',
    );
    await send(world, records(300));
    const plan = await run(world, { execute: false });
    expect([plan.told['records'], plan.told['isDone']]).toEqual([400, false]);
    expect((await run(world)).told).toMatchObject({ written: 400 });
    expect((await found(world, COPY)).length).toBe(900);
  });

  test('of two at once the later goes on alone, and each record is there once', async () => {
    for (const nth of [1, 2, 3]) {
      const world = await openHere();
      await send(world, records(1_300));
      const client = connected(world);
      const first = await run(overtaken({ ...world, broker: client }, () => run(world).then(() => undefined), nth));
      expect([first.code, first.io.said.join()]).toEqual([1, expect.stringContaining('another process')]);
      await expectCopied(world);
    }
  }); // prettier-ignore

  test('where Kafka has forgotten how far it came, it is refused, not begun anew', async () => {
    const world = await openHere();
    await send(world, records(900));
    await expect(run({ ...world, broker: dying(world.broker, 'commit', 'after', 2) })).rejects.toThrow(
      'dead',
    );
    const admin = { ...world.broker.admin, committed: async () => [] };
    const later = { ...world, broker: { ...world.broker, admin } };
    for (const [execute, code] of [[true, 1], [false, 0]] as const) {
      const told = await run(later, { execute });
      expect([told.code, told.io.said.join()]).toEqual([code, expect.stringContaining('offsets.retention.minutes')]);
    } // prettier-ignore
    expect((await found(world, COPY)).length).toBe(500);
  });

  test('an id that was begun with other words, or over a topic made anew, is refused', async () => {
    const world = await openHere();
    await send(world, records(9));
    await run(world, { run: 'one' });
    await expect(run(world, { run: 'one', toOffset: 1 })).rejects.toThrow('choose another --run');
    await world.broker.admin.deleteTopics([TOPIC]);
    await world.broker.admin.createTopics([{ name: TOPIC, partitions: fraud.partitions }]);
    await expect(run(world, { run: 'one' })).rejects.toThrow('choose another --run');
  });
});

describe('who would do work twice', () => {
  const join = async (world: Here, group: string, topic: string) =>
    connected(world).join({ group, topics: [topic] }, { assigned: async () => undefined, run: () => undefined, failed: () => undefined }); // prettier-ignore
  const group = consumerGroup('feature', fraud);

  test('it is refused while the group that would read it is live, told by the plan, and goes on when that has gone', async () => {
    const world = await openHere();
    await send(world, records(9));
    const member = await join(world, group, TOPIC);
    const plan = await run(world, { toTopic: TOPIC, execute: false });
    expect([plan.code, plan.told['live'], plan.io.said.join()]).toEqual([0, [`${group} (1 members)`], expect.stringContaining('would be refused')]);
    const refused = await run(world, { toTopic: TOPIC });
    expect([refused.code, refused.io.said.join()]).toEqual([1, expect.stringContaining(`refused: ${TOPIC} is read by ${group}`)]);
    expect((await found(world, TOPIC)).length).toBe(9);
    // Another topic is nobody's, and is not refused.
    expect((await run(world)).told).toMatchObject({ written: 9 });
    await member.leave();
    expect((await run(world, { toTopic: TOPIC })).told).toMatchObject({ written: 9 });
  }); // prettier-ignore

  test('one that comes in the midst of it stops it, and it can be gone on with', async () => {
    const world = await openHere();
    await send(world, records(1_300));
    let member: Awaited<ReturnType<typeof join>> | undefined;
    const comes = overtaken(world, async () => void (member = await join(world, group, TOPIC)), 2);
    expect((await run(comes, { toTopic: TOPIC })).code).toBe(1);
    await member!.leave();
    expect((await run(world, { toTopic: TOPIC })).told).toMatchObject({ written: 800 });
    expect((await found(world, TOPIC)).length).toBe(2_600);
  });

  test('vectors aside are scored by inference; predictions are stored by their ids, and nobody is in the way', async () => {
    const world = await openHere();
    await send(world, [...records(3, TOPICS.features), ...records(3, TOPICS.predictions)]);
    await join(world, consumerGroup('inference', fraud), TOPICS.aside);
    await join(world, consumerGroup('sink', fraud), TOPICS.predictions);
    expect((await run(world, { topic: TOPICS.features, toTopic: TOPICS.aside })).code).toBe(1);
    expect((await run(world, { topic: TOPICS.predictions, toTopic: TOPICS.predictions })).told).toMatchObject({ written: 3 });
  }); // prettier-ignore

  test.each([
    ['a compacted topic', TOPICS.features, TOPICS.features, 'is compacted'],
    ['what travels between stages', TOPICS.release!, TOPICS.release!, 'repartition'],
    ['dead letters', deadLetterTopic(TOPIC), deadLetterTopic(TOPIC), 'dead-letters'],
    [
      'letters to where letters are sent again',
      deadLetterTopic(TOPIC),
      `${TOPIC}.aside`,
      'millrace dlq redrive',
    ],
    ['records of the house', 'millrace.runs.v1', 'millrace.runs.v1', 'record'],
    ['what is deferred', TOPICS.deferred, TOPICS.deferred, 'deferred'],
    ['aside of what is deferred', TOPICS.deferred, `${TOPICS.deferred}.aside`, 'deferred'],
    ['events to predictions', TOPIC, TOPICS.predictions, 'could not be read'],
    ['a topic of others that is compacted', TOPIC, 'table', 'is compacted'],
  ])('%s is refused, with the reason', async (_, topic, toTopic, reason) => {
    const world = await openHere();
    await world.broker.admin.createTopics([{ name: 'table', partitions: 3, config: { 'cleanup.policy': 'compact,delete' } }]); // prettier-ignore
    await expect(run(world, { topic, toTopic, execute: false })).rejects.toThrow(reason);
  });

  test('a topic that is not there is refused with the remedy', async () => {
    const world = await openHere();
    const { code, io } = await run(world, { toTopic: 'nowhere' });
    expect([code, io.said]).toEqual([1, [expect.stringContaining('refused: no topic nowhere; create it')]]);
  });
});

test('no more records a second than asked for, in few transactions, whatever the clock does meanwhile', async () => {
  const world = await openHere();
  await send(world, records(600));
  let nowMs = 0;
  const commits: { readonly atMs: number; readonly written: number }[] = [];
  const clock = { now: () => nowMs, sleep: async (ms: number) => void (nowMs += ms) };
  const slow = overtaken({ ...world, clock }, async () => void (nowMs += 5_000), 4);
  const watched = {
    ...slow,
    broker: {
      ...slow.broker,
      transactionalProducer: async (id: string) => {
        const producer = await slow.broker.transactionalProducer(id);
        let written = 0;
        return {
          ...producer,
          send: (all: Parameters<typeof producer.send>[0]) => {
            written += all.length;
            commits.push({ atMs: nowMs, written });
            return producer.send(all);
          },
        };
      },
    },
  };
  const done = await run(watched, { rate: 50 });
  expect(done.told).toMatchObject({ written: 600, rate: 50 });
  // 600 records at 50 a second, and five seconds in which a commit hung and nothing was made up for.
  expect(nowMs).toBeGreaterThanOrEqual(12_000 + 5_000 - 400);
  expect(nowMs).toBeLessThan(12_000 + 5_000 + 400);
  for (const [i, { atMs, written }] of commits.entries())
    for (const before of commits.slice(0, i)) {
      // In any stretch of time: the rate, and what may go together.
      expect(written - before.written).toBeLessThanOrEqual(((atMs - before.atMs) / 1000) * 50 + 12);
    }
  expect(commits.length).toBeLessThan(70);
  expect(done.io.said.filter(line => /offsets replayed, \d+\/s/.test(line)).length).toBeGreaterThan(5);
});

test('the offsets of a run move in the group that its id names', async () => {
  const world = await openHere();
  await send(world, records(4));
  const { told } = await run(world, { run: 'named' });
  expect(told.run).toBe('named');
  const committed = await world.broker.admin.committed(replayGroup('named'), [TOPIC]);
  expect(committed.map(({ offset }) => offset).slice(0, 3)).toEqual([2, 1, 1]);
});
