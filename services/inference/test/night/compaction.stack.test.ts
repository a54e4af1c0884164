/**
 * A night over a topic that Kafka's cleaner compacts as hard as the promised lag lets it, while records are updated. What
 * is on the topics is judged by librdkafka. Vectors are given times of the past (the topic says CreateTime here): the
 * cleaner goes by them, so an hour need not be waited for.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Codec } from '@millrace/avro';
import type { FeaturesValue, PredictionValue, Run } from '@millrace/contracts';
import { kafkaBroker, murmur2Partition } from '@millrace/stream';
import { noLogger, systemClock } from '@millrace/telemetry';
import type { MakeScorer } from '@millrace/model';
import { describeUnless } from '../../../../test/jest/skip.ts';
import { noStack, stackAddresses } from '../../../../test/jest/stack.ts';
import { findPython } from '../../../../test/journey/python.ts';
import { type Judged, recordsSince } from '../../../../test/journey/records.ts';
import type { NightOptions } from '../../src/index.ts';
import { fakeScorer, until, utf8, vectorOf } from '../harness.ts';
import { nightIn } from '../nightIn.ts';
import { openStackWorld, type StackWorld } from '../stackWorld.ts';

const LIMIT_MS = 300_000;
const CLIENTS = 300;
const UPDATED = 120;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Two hours: a night is refused within the last of them. */
const LAG_MS = 120 * MINUTE_MS;
const python = noStack === undefined ? await findPython() : { missing: noStack };
const path = 'path' in python ? python.path : '';

/** As often, as early and as much as can be, but for what the lag protects. */
const hard = (lagMs: number): Readonly<Record<string, string>> => ({
  'message.timestamp.type': 'CreateTime',
  'segment.ms': '1000',
  'min.cleanable.dirty.ratio': '0',
  'min.compaction.lag.ms': String(lagMs),
  'max.compaction.lag.ms': String(Math.max(lagMs, 1)),
  'delete.retention.ms': '0',
});

describeUnless('missing' in python ? python.missing : undefined)('a night beside the cleaner', () => {
  let opened: StackWorld;
  let codec: Codec<FeaturesValue>;
  let answers: Codec<PredictionValue>;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    opened = await openStackWorld(hard(LAG_MS));
    const { world } = opened;
    codec = await world.codec(world.topics.features);
    answers = await world.codec(world.topics.predictions);
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
    await opened?.close();
  }, LIMIT_MS);

  /** Version `version` of the first clients, as if it had come some time ago. */
  const send = async (version: number, count: number, agoMs: number): Promise<void> => {
    const { world } = opened;
    const clock = { ...systemClock, now: () => systemClock.now() - agoMs };
    const broker = kafkaBroker({ bootstrapServers: stackAddresses().kafka, clientId: 'past', logger: noLogger, clock });
    closing.push(() => broker.close());
    const producer = await broker.producer();
    await producer.send(
      Array.from({ length: count }, (_, n) => {
        const entity = `client-${n}`;
        const key = utf8(entity);
        const value = codec.encode(vectorOf(100 + n, { entity, eventId: `${entity}-v${version}` }));
        return { topic: world.topics.features, partition: murmur2Partition(key, world.ground.pipeline.partitions), key, value };
      }),
    );
    await producer.close();
  }; // prettier-ignore
  const read = async (topic: string): Promise<readonly Judged[]> =>
    recordsSince(path, topic, await opened.world.ground.broker.admin.beginningOffsets(topic));
  const decoded = async <T>(topic: string, by: Codec<T>): Promise<readonly (Judged & { of: T })[]> => {
    const found = await read(topic);
    await by.prepare(found.map(({ value }) => value));
    return found.map(one => ({ ...one, of: by.decode(one.value) as T }));
  };
  /** How many vectors of a version there are, as librdkafka finds them. */
  const left = async (version: number): Promise<number> =>
    (await decoded(opened.world.topics.features, codec)).filter(({ of }) => of.eventId.endsWith(`-v${version}`)).length;
  /** A record begins a segment where it is later than the one that is written, and the cleaner leaves the last one alone. */
  const cleaned = (version: number, to: number): Promise<void> =>
    until(async () => (await left(version)) === to, `${to} vectors of version ${version} are left`);

  const night = (run: string, changes: Partial<NightOptions>) =>
    nightIn(opened.world, { run: `${opened.world.ground.pipeline.name}-${run}`, ...changes });

  /** Each client once, from the vector of that version, inside the slice. */
  const expectEach = async ({ run, slice }: Run, versionOf: (n: number) => number): Promise<void> => {
    const found = (await decoded(opened.world.topics.predictions, answers)).filter(({ of }) => of.runId === run);
    expect(found.map(({ of }) => of.eventId).toSorted()).toEqual(
      Array.from({ length: CLIENTS }, (_, n) => `client-${n}-v${versionOf(n)}`).toSorted(),
    );
    for (const { partition, of } of found)
      expect(of.vectorOffset).toBeLessThan(slice.find(at => at.partition === partition)!.until);
  }; // prettier-ignore

  test(
    'loses nobody within the promised lag, and would without it',
    async () => {
      const { world } = opened;
      const { admin } = world.ground.broker;
      await send(0, CLIENTS, 3 * DAY_MS);
      await send(1, CLIENTS, 2 * DAY_MS);
      expect(await left(0)).toBe(CLIENTS);

      // Records are updated while the night is at work, and the cleaner comes to what was replaced long ago.
      const held = Promise.withResolvers<void>();
      const waits: MakeScorer = async (bytes, manifest) => {
        const scorer = await fakeScorer(bytes, manifest);
        const score: typeof scorer.score = async rows => {
          if (rows.rows > 1) await held.promise; // One row are the golden ones, before anything is fixed.
          return scorer.score(rows);
        };
        return { ...scorer, score };
      };
      const running = night('during', { makeScorer: waits, tell: () => captured.resolve() });
      const captured = Promise.withResolvers<void>();
      await Promise.race([captured.promise, running]);
      await send(2, UPDATED, 10 * MINUTE_MS);
      await send(3, UPDATED, 5 * MINUTE_MS);
      await send(4, UPDATED, 0);
      await cleaned(0, 0);
      expect([await left(1), await left(2), await left(3)]).toEqual([CLIENTS, UPDATED, UPDATED]);
      held.resolve();
      const { report, run } = await running;
      expect(report).toMatchObject({ entities: CLIENTS, scored: CLIENTS, deadLettered: 0, repeated: 0 });
      await expectEach(run, () => 1);

      // A night that looks back at what has been replaced since.
      const asOfMs = systemClock.now() - 7 * MINUTE_MS;
      const back = await night('back', { asOfMs });
      expect(back.report.entities).toBe(CLIENTS);
      await expectEach(back.run, n => (n < UPDATED ? 2 : 1));

      // Without the lag the cleaner takes what the night of then needs.
      await admin.alterTopic(world.topics.features, hard(0));
      await cleaned(2, 0);
      expect(await left(1)).toBe(CLIENTS - UPDATED);
      await expect(night('refused', { asOfMs })).rejects.toThrow(/may be gone/);
      // What that refusal keeps from happening: the topic promises again what it has not kept.
      await admin.alterTopic(world.topics.features, hard(LAG_MS));
      await until(async () => (await admin.describeTopics([world.topics.features]))[0]?.config['min.compaction.lag.ms'] === String(LAG_MS), 'it promises'); // prettier-ignore
      const short = await night('short', { asOfMs });
      expect(short.report.entities).toBe(CLIENTS - UPDATED);
    },
    LIMIT_MS,
  );
}); // prettier-ignore
