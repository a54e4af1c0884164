/** Clients of another language and library take part: they know the topics and the registry, and nothing of ours. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition } from '@millrace/stream';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { LETTERS, lettersSince } from './letters.ts';
import { findPython, runScript } from './python.ts';
import {
  answersTo, endsOf, eventually, type Journey, type Payment, payments, startJourney, TOPICS,
} from './world.ts'; // prettier-ignore

const LIMIT_MS = 120_000;
const EVENTS = 60;
const python = noStack === undefined ? await findPython() : { missing: noStack };
const missing = 'missing' in python ? python.missing : undefined;
const path = 'path' in python ? python.path : '';

const inUtf8 = (text: string): number => murmur2Partition(Buffer.from(text), fraud.partitions);

describeUnless(missing)('a client on librdkafka, in Python', () => {
  let journey: Journey;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    journey = await startJourney(['feature', 'inference']);
    closing.push(() => journey.close());
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
  }, LIMIT_MS);

  /** @returns the partition that took each event */
  const produce = async (
    events: readonly Payment[],
    options: Readonly<Record<string, string>>,
  ): Promise<Readonly<Record<string, number>>> => {
    const { kafka, registry } = stackAddresses();
    const lines = events.map(event =>
      JSON.stringify({ revision: 0, withdrawn: false, lineage: null, ...event }),
    );
    const where = { bootstrap: kafka, registry, topic: TOPICS.scored, key: 'customerId' };
    const [taken] = await runScript(path, 'produce.py', { ...where, ...options }, lines.join('\n'));
    return JSON.parse(taken!) as Record<string, number>;
  };

  test(
    'its events are scored, and it reads the scores as they are',
    async () => {
      const { world } = journey;
      const prefix = uniqueName('py');
      const events = payments(EVENTS, 20, prefix);
      const from = await endsOf(world, TOPICS.predictions);
      const since = String(Date.now());
      const taken = await produce(events, { partitioner: 'murmur2_random' });
      expect(taken).toEqual(
        Object.fromEntries(events.map(({ eventId, customerId }) => [eventId, inUtf8(customerId)])),
      );

      const { kafka, registry } = stackAddresses();
      const where = { bootstrap: kafka, registry, topic: TOPICS.predictions };
      const lines = await runScript(path, 'consume.py', { ...where, prefix, since, count: String(EVENTS) });
      const read = new Map(
        lines.map(line => JSON.parse(line) as { predictionId: string; key: string; features: object }).map(one => [one.predictionId, one]),
      ); // prettier-ignore
      const ours = await answersTo(
        world,
        from,
        events.map(({ eventId }) => eventId),
      );
      expect(read.size).toBe(EVENTS);
      for (const { predictionId, entity, outputs, kpis, features, decision, eventId, inputHash } of ours)
        expect(read.get(predictionId)).toMatchObject({
          key: entity,
          entity,
          outputs,
          kpis,
          features,
          decision,
          eventId,
          inputHash,
        });
    },
    LIMIT_MS,
  );

  test(
    'with the partitioner that librdkafka has by default, what lies elsewhere is put aside with the remedy',
    async () => {
      const { world } = journey;
      const events = payments(24, 24);
      const [from, lettersFrom] = await Promise.all([
        endsOf(world, TOPICS.predictions),
        endsOf(world, LETTERS),
      ]);
      const taken = await produce(events, {});
      const isElsewhere = ({ eventId, customerId }: Payment): boolean =>
        taken[eventId] !== inUtf8(customerId);
      const elsewhere = events.filter(isElsewhere);
      // Another hash agrees by chance, for one key of six.
      expect(elsewhere.length).toBeGreaterThan(0);

      const letters = await eventually(
        () => lettersSince(world, lettersFrom),
        found => found.length >= elsewhere.length,
        found => `${found.length} of ${elsewhere.length} are put aside`,
      );
      expect(letters.map(({ key }) => key ?? '').toSorted()).toEqual(
        elsewhere.map(({ customerId }) => customerId).toSorted(),
      );
      for (const { about } of letters)
        expect(about).toMatchObject({
          reason: 'wrong-key',
          message: expect.stringContaining('partitioner=murmur2_random'),
        });
      const here = events.filter(event => !isElsewhere(event)).map(({ eventId }) => eventId);
      expect(new Set((await answersTo(world, from, here)).map(({ eventId }) => eventId))).toEqual(
        new Set(here),
      );
    },
    LIMIT_MS,
  );
});
