/** What is stored once, whatever happens to Kafka's log and to the database; and what is refused, loudly. */
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { FaultProxy } from '../../../test/chaos/proxy/proxy.ts';
import { describeStack, stackAddresses } from '../../../test/jest/stack.ts';
import { dropRecords } from '../../../packages/stream/test/kafka/dropRecords.ts';
import { StoredOffsetError } from '../src/index.ts';
import { eventually, openSinkWorld, type RunningSink, type SinkWorld } from './world.ts';

const LIMIT_MS = 60_000;
const SECOND_MS = 1_000;
/** One line for the outage, one for its end; a line or two of the group at the same time. */
const LINES_A_SECOND_MAX = 5;

let ids = 0;
const names = (count: number): string[] =>
  Array.from({ length: count }, () => `${process.pid}-${Date.now()}-${ids++}`);

const mostLinesInASecond = ({ said }: RunningSink, fromMs: number): number => {
  const counts = new Map<number, number>();
  for (const { atMs } of said.filter(line => line.atMs >= fromMs)) {
    const second = Math.floor(atMs / SECOND_MS);
    counts.set(second, (counts.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
};

describeStack('the sink, on Kafka and PostgreSQL', () => {
  let world: SinkWorld;
  const stored: string[] = [];
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    world = await openSinkWorld();
    closing.push(() => world.close());
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  }, LIMIT_MS);

  // One that went on after a failed test would own the partition.
  afterEach(() => world.stopSinks(), LIMIT_MS);

  const send = async (count: number): Promise<void> => {
    const sent = names(count);
    await world.send(sent);
    stored.push(...sent);
  };
  const endOf = async (): Promise<number> => (await world.broker.admin.endOffsets(world.topic))[0]!.offset;
  /** Runs the statement that the error names. */
  const remedy = async (error: Error): Promise<void> => {
    expect(error.cause ?? error).toBeInstanceOf(StoredOffsetError);
    const statement = /(?:UPDATE|DELETE FROM) millrace\.consumer_offsets .*$/u.exec(error.message)![0];
    await world.sql.unsafe(statement);
  };

  test.each(['refuse', 'hold'] as const)(
    'a database that is away (%s) is waited for: one line, a paused partition, no row twice or missing',
    async mode => {
      const { hostname, port } = new URL(stackAddresses().postgres);
      const target = { host: hostname, port: Number(port) };
      const proxy = await FaultProxy.listen({ name: 'database', target, speaks: 'anything' });
      closing.push(() => proxy.close());
      const url = new URL(stackAddresses().postgres);
      url.port = String(proxy.port);
      const sink = world.start(url.href, { laneRowsMax: 100, rowsMax: 20 });
      await send(10);
      await world.expectRows(stored);

      proxy.mode = mode;
      if (mode === 'refuse') proxy.reset();
      const fromMs = Date.now();
      for (let i = 0; i < 15; i++) await send(20);
      const paused = `millrace_partition_paused ${world.topic} 0`;
      await eventually(
        () => sink.measured.get(paused),
        value => value === 1,
      );
      await eventually(
        () => sink.notReady(),
        reason => reason?.startsWith('waits for the database') === true,
      );
      expect(sink.measured.get('millrace_dependency_away database')).toBe(1);
      // Away for longer than any attempt takes.
      await eventually(
        () => Date.now() - fromMs,
        ms => ms > 5 * SECOND_MS,
      );
      expect(sink.measured.get(`millrace_lane_rows ${world.topic} 0`)).toBeLessThan(200);
      expect(sink.said.filter(({ text }) => text.includes('database'))).toHaveLength(1);

      proxy.heal();
      await world.expectRows(stored);
      await eventually(
        () => sink.notReady(),
        reason => reason === undefined,
      );
      expect(sink.measured.get(`millrace_rebalances_total ${world.group}`)).toBe(1);
      await eventually(
        () => sink.measured.get(paused),
        value => value === 0,
      );
      expect(mostLinesInASecond(sink, fromMs)).toBeLessThanOrEqual(LINES_A_SECOND_MAX);
      await sink.stop();
    },
    LIMIT_MS,
  );

  test(
    'a database restored to an older state under a running sink is filled again',
    async () => {
      const sink = world.start();
      await send(30);
      await world.expectRows(stored);
      const { sql, pipeline, group } = world;
      await sql.begin(async tx => {
        await tx`DELETE FROM millrace.predictions WHERE pipeline = ${pipeline.name} AND topic_offset >= 5`;
        await tx`UPDATE millrace.consumer_offsets SET next_offset = 5 WHERE consumer_group = ${group} AND topic = ${world.topic}`;
      });
      await send(5);
      await world.expectRows(stored);
      // And one from before the sink ever ran: its offset is not there.
      await sql.begin(async tx => {
        await tx`DELETE FROM millrace.predictions WHERE pipeline = ${pipeline.name}`;
        await tx`DELETE FROM millrace.consumer_offsets WHERE consumer_group = ${group}`;
      });
      await send(5);
      await world.expectRows(stored);
      await sink.stop();
    },
    LIMIT_MS,
  );

  test(
    'a row that the database cannot hold is a dead letter, and those beside it are stored',
    async () => {
      const sink = world.start();
      const [bad] = names(1);
      await send(10);
      await world.send([bad!], { entity: 'C\u00001' });
      await send(10);
      await world.expectRows(stored);
      const rejected = `millrace_records_rejected_total ${world.topic} bad-value`;
      await eventually(
        () => sink.measured.get(rejected),
        count => count === 1,
      );
      expect((await world.broker.admin.endOffsets(`${world.topic}.dlq`))[0]!.offset).toBe(1);
      await sink.stop();
    },
    LIMIT_MS,
  );

  test(
    'retention that takes what is stored, and markers behind it, is no loss',
    async () => {
      const sink = world.start();
      await eventually(
        () => world.storedNext(),
        next => next !== undefined && next > 0,
      );
      await eventually(
        async () => [await world.storedNext(), await endOf()] as const,
        ([next, end]) => next === end,
      );
      await sink.stop();
      await dropRecords(stackAddresses().kafka, { topic: world.topic, partition: 0, offset: await endOf() });
      const again = world.start();
      await send(3);
      await world.expectRows(stored);
      await again.stop();
    },
    LIMIT_MS,
  );

  test(
    'retention that has passed the stored offset stops it, with the statement that goes on without them',
    async () => {
      const lost = names(5);
      const before = await endOf();
      await world.send(lost);
      // A transaction is seen some milliseconds after its commit.
      await eventually(endOf, end => end >= before + lost.length);
      await dropRecords(stackAddresses().kafka, { topic: world.topic, partition: 0, offset: await endOf() });
      const sink = world.start();
      const error = await sink.failed;
      expect(error.message).toContain('those between are in neither');
      await sink.stop();
      await remedy(error);
      const again = world.start();
      await send(3);
      await world.expectRows(stored);
      await again.stop();
    },
    LIMIT_MS,
  );

  test(
    'a topic made anew is refused until its offset is deleted, then read from the beginning',
    async () => {
      await world.makeTopicAnew();
      await send(3);
      const sink = world.start();
      const error = await sink.failed;
      expect(error.message).toContain('the topic was recreated or the cluster replaced');
      await sink.stop();
      await remedy(error);
      const again = world.start();
      await eventually(
        () => world.ids(),
        found => found.length === stored.length,
      );
      expect((await world.ids()).toSorted()).toEqual(stored.toSorted());
      await again.stop();
    },
    LIMIT_MS,
  );

  test(
    'a log that ends before what is stored is refused: new records would pass for stored',
    async () => {
      const end = await endOf();
      await world.sql`UPDATE millrace.consumer_offsets SET next_offset = ${end + 10} WHERE consumer_group = ${world.group} AND topic = ${world.topic}`;
      const sink = world.start();
      const error = await sink.failed;
      expect(error.message).toContain('Kafka has lost records that are stored here');
      await sink.stop();
      await remedy(error);
      const again = world.start();
      const [first] = names(1);
      await world.send([first!]);
      await eventually(
        () => world.ids(),
        found => found.includes(first!),
      );
      await again.stop();
    },
    LIMIT_MS,
  );
});
