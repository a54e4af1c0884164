/**
 * The world goes away, and comes back: what waits says so once, nothing grows without bound, and everything goes on
 * without hands. On a stack of its own, because the others use the shared one.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { consumerGroup } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { systemClock } from '@millrace/telemetry';
import { describeUnless } from '../jest/skip.ts';
import { insist, linesSince, noStage, readyOf, rowsOf, setStage, type Stage } from './stage.ts';
import {
  answersTo, type Ends, endsOf, eventually, type Payment, payments, postEvents, predictionsSince, TOPICS, vectorsSince,
} from './world.ts'; // prettier-ignore

const LIMIT_MS = 180_000;
const OUTAGE_MS = 8_000;
/** Of one process: a line an outage and task, of six partitions, and some of the group. */
const LINES_A_SECOND_MAX = 25;
const LINES_AN_OUTAGE_MAX = 80;
const CUSTOMERS = 20;

describeUnless(noStage)('when something is gone', () => {
  let stage: Stage;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    stage = await setStage({
      // They wait, say what for, and are ready once it is there.
      withoutRegistry: async ports => {
        for (const [name, port] of Object.entries(ports))
          await eventually(
            () => readyOf(port),
            text => text.includes('waits for the schema registry'),
            text => `${name}: ${text}`,
          );
      },
    });
    closing.push(() => stage.close());
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
  }, LIMIT_MS);

  let heard = 0;
  /** What was said of services that ended, since it was asked for last. */
  const news = (): readonly string[] => {
    const lines = stage.said.slice(heard);
    heard = stage.said.length;
    return lines;
  };
  const allReady = async (): Promise<void> => {
    for (const { name, port } of stage.services.list())
      await eventually(
        () => readyOf(port),
        text => text.includes('"ready"'),
        text => `${name}: ${text}`,
      );
  };
  const expectFewLines = (fromMs: number): void => {
    for (const { name } of stage.services.list()) {
      const counts = linesSince(stage, name, fromMs);
      const told = { name, inASecond: Math.max(0, ...counts), inAll: counts.reduce((sum, n) => sum + n, 0) };
      if (told.inASecond > LINES_A_SECOND_MAX || told.inAll > LINES_AN_OUTAGE_MAX)
        throw new Error(`a flood of lines: ${JSON.stringify(told)}`);
    }
  };
  const expectOneEffect = async (from: Ends, events: readonly Payment[]): Promise<void> => {
    const answers = await answersTo(
      stage.world,
      from,
      events.map(({ eventId }) => eventId),
    );
    expect(answers.length).toBe(events.length);
    const rows = (): Promise<number> => rowsOf(stage, events);
    await eventually(
      rows,
      found => found >= events.length,
      found => `${found} rows`,
    );
    expect(await rows()).toBe(events.length);
  };

  test.each(['refuse', 'hold'] as const)(
    'Kafka (%s): 503 with Retry-After, then every event once; few lines, no process ends',
    async mode => {
      const from = await endsOf(stage.world, TOPICS.predictions);
      const events = payments(400, CUSTOMERS);
      const step = (i: number): readonly Payment[] => events.slice(i * 20, (i + 1) * 20);
      for (let i = 0; i < 5; i++) await insist(stage, step(i));
      const fromMs = Date.now();
      stage.kafka.mode = mode;
      if (mode === 'refuse') stage.kafka.reset();
      const insisting = Array.from({ length: 10 }, (_, i) => insist(stage, step(5 + i)));
      await systemClock.sleep(OUTAGE_MS);
      expect((await postEvents(stage, JSON.stringify(step(15)))).status).toBe(503);
      stage.kafka.heal();
      expect((await Promise.all(insisting)).every(refused => refused > 0)).toBe(true);
      for (let i = 15; i < 20; i++) await insist(stage, step(i));
      await expectOneEffect(from, events);
      await allReady();
      expect(news()).toEqual([]);
      expectFewLines(fromMs);
    },
    LIMIT_MS,
  );

  test(
    'the database: scores go on, the sink says that it waits, then every row is there once',
    async () => {
      const from = await endsOf(stage.world, TOPICS.predictions);
      const events = payments(200, CUSTOMERS);
      const fromMs = Date.now();
      stage.database.mode = 'hold';
      for (let i = 0; i < 10; i++) await insist(stage, events.slice(i * 20, (i + 1) * 20));
      await answersTo(
        stage.world,
        from,
        events.map(({ eventId }) => eventId),
      );
      const port = stage.services.port('sink');
      await eventually(
        () => readyOf(port),
        text => text.includes('waits for the database'),
        text => text,
      );
      const asked = await fetch(`http://127.0.0.1:${port}/v1/fraud/predictions/${events[0]!.eventId}`);
      expect([asked.status, asked.headers.get('retry-after')]).toEqual([503, '5']);
      stage.database.heal();
      await expectOneEffect(from, events);
      await allReady();
      expect(news()).toEqual([]);
      expectFewLines(fromMs);
    },
    LIMIT_MS,
  );

  test(
    'the registry, while they run: known schemas are enough',
    async () => {
      stage.registry.mode = 'refuse';
      stage.registry.reset();
      const from = await endsOf(stage.world, TOPICS.predictions);
      const events = payments(40, CUSTOMERS);
      await insist(stage, events);
      await expectOneEffect(from, events);
      stage.registry.heal();
    },
    LIMIT_MS,
  );

  test(
    'ingest is killed, and clients repeat all that they sent: one effect',
    async () => {
      const from = await endsOf(stage.world, TOPICS.predictions);
      const vectorsFrom = await endsOf(stage.world, TOPICS.features);
      const events = payments(100, CUSTOMERS);
      await insist(stage, events);
      process.kill(stage.services.list().find(({ name }) => name === 'ingest')!.pid, 'SIGKILL');
      await eventually(
        async () => stage.said.length - heard,
        count => count > 0,
        () => 'ingest was not missed',
      );
      await insist(stage, events);
      await insist(stage, events.slice(0, 50));
      await expectOneEffect(from, events);
      const newest = new Map(
        (await vectorsSince(stage.world, TOPICS.features, vectorsFrom)).map(one => [
          one.eventId,
          one.features,
        ]),
      );
      // The last payment of each customer counts each payment once.
      for (const { eventId } of events.slice(-CUSTOMERS))
        expect(newest.get(eventId)!['customerTxCount1d']).toBe(events.length / CUSTOMERS);
      expect((await predictionsSince(stage.world, from)).length).toBe(events.length);
      expect(news()).toEqual(['ingest ended (137); starting it again']);
    },
    LIMIT_MS,
  );

  test(
    'each is told to stop under load: it ends with 0, leaves its group, and nothing is lost or doubled',
    async () => {
      const from = await endsOf(stage.world, TOPICS.predictions);
      const events = payments(1_200, CUSTOMERS);
      let sent = 0;
      const sending = (async () => {
        for (; sent < events.length; sent += 20) {
          await insist(stage, events.slice(sent, sent + 20));
          await systemClock.sleep(50);
        }
      })();
      const names = ['feature', 'inference', 'sink', 'ingest'] as const;
      for (const name of names) {
        const target = sent + 200;
        await eventually(
          async () => sent,
          now => now >= Math.min(target, events.length - 20),
          now => `${now} sent`,
        );
        process.kill(stage.services.list().find(one => one.name === name)!.pid, 'SIGTERM');
      }
      await sending;
      await expectOneEffect(from, events);
      await eventually(
        async () => stage.said.length - heard,
        count => count >= names.length,
        () => stage.said.join('; '),
      );
      await allReady();
      expect(news().toSorted()).toEqual(names.map(name => `${name} ended (0); starting it again`).toSorted());
      // One that had not left would be counted until its session ends.
      for (const service of ['feature', 'inference', 'sink'] as const)
        expect([service, await stage.world.broker.admin.groupMembers(consumerGroup(service, fraud))]).toEqual(
          [service, 1],
        );
    },
    LIMIT_MS,
  );
});
