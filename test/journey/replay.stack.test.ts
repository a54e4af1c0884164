/**
 * Replays on a real stack, by the command line. What is on the topics is judged by librdkafka, which counts what is
 * committed.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Codec, openCodec } from '@millrace/avro';
import type { PredictionValue } from '@millrace/contracts';
import { FIRST_MODEL_VERSION, openWorld, prepare, type World } from '@millrace/cli';
import { fraud } from '@millrace/pipelines';
import type { OutRecord } from '@millrace/stream';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { millrace } from './command.ts';
import { encoded, ofOne, valueOf } from './letters.ts';
import { findPython } from './python.ts';
import { type Judged, recordsSince } from './records.ts';
import { answersTo, endsOf, eventually, type Journey, predictionsSince, startJourney, TOPICS, vectorsSince } from './world.ts'; // prettier-ignore

const LIMIT_MS = 120_000;
const MAIN = join(import.meta.dirname, '../../services/cli/src/main.ts');
const PARTITIONS = 3;
const RECORDS = 6_000;
const BATCH = 1_000;
const python = noStack === undefined ? await findPython() : { missing: noStack };
const missing = 'missing' in python ? python.missing : undefined;
const path = 'path' in python ? python.path : '';

const sum = (counts: readonly number[]): number => counts.reduce((all, count) => all + count, 0);
const beginsOf = (topic: string) => Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition, offset: 0 })); // prettier-ignore

/** As it was before it was replayed. */
const plain = ({ key, value, headers }: Judged) =>
  JSON.stringify([
    key,
    value.toString('hex'),
    [...headers].filter(([name]) => !name.startsWith('__replay.')),
  ]);
/** The record it says it is a copy of. */
const sourceOf = ({ headers }: Judged): string =>
  ['topic', 'partition', 'offset'].map(name => headers.get(`__replay.source.${name}`)).join(':');

describeUnless(missing)('a slice replayed', () => {
  let world: World;
  const topic = uniqueName('replay-from');
  beforeAll(async () => {
    world = openWorld(stackAddresses());
    await prepare(world, [fraud], () => FIRST_MODEL_VERSION);
    await world.broker.admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 1 }]);
    const producer = await world.broker.producer();
    for (let first = 0; first < RECORDS; first += BATCH)
      await producer.send(
        Array.from({ length: BATCH }, (_, i): OutRecord => {
          const n = first + i;
          return {
            topic,
            partition: n % PARTITIONS,
            key: n % 5 === 0 ? null : Buffer.from(`k${n}`),
            value: Buffer.from(JSON.stringify({ n, text: 'x'.repeat(n % 90) })),
            headers: [['n', Buffer.from(String(n))]],
          };
        }),
      );
    await producer.close();
  }, LIMIT_MS);
  afterAll(() => world.broker.close());

  const read = (of: string) => recordsSince(path, of, beginsOf(of));

  test(
    'killed half-way and asked for again, each record is there once, and as it was; a third time adds nothing',
    async () => {
      const to = uniqueName('replay-to');
      await world.broker.admin.createTopics([{ name: to, partitions: PARTITIONS, replicationFactor: 1 }]);
      const line = `replay run --topic ${topic} --to-topic ${to} --output json`;
      const plan = JSON.parse((await millrace(`${line} --rate 3000`)).lines[0]!) as object;
      expect(plan).toMatchObject({ executed: false, records: RECORDS, to, seconds: 2 });
      const { kafka, registry } = stackAddresses();
      const child = spawn(process.execPath, [MAIN, ...`${line} --rate 2000 --execute`.split(' ')], {
        env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: kafka, SCHEMA_REGISTRY_URL: registry },
        stdio: 'ignore',
      });
      const ended = new Promise(resolve => child.once('close', resolve));
      const written = async () => sum((await endsOf(world, to)).map(({ offset }) => offset));
      await eventually(written, count => count > RECORDS / 6, count => `${count} records`); // prettier-ignore
      child.kill('SIGKILL');
      await ended;
      const before = (await read(to)).length;
      expect(before).toBeGreaterThan(0);
      expect(before).toBeLessThan(RECORDS);

      const resumed = await millrace(`${line} --execute`);
      const told = JSON.parse(resumed.lines[0]!) as { run: string; written: number };
      expect([resumed.code, told.written]).toEqual([0, RECORDS - before]);
      const [source, copies] = [await read(topic), await read(to)];
      expect(copies.length).toBe(RECORDS);
      expect(copies.map(plain).toSorted()).toEqual(source.map(plain).toSorted());
      expect(copies.map(sourceOf).toSorted()).toEqual(source.map(({ partition, offset }) => `${topic}:${partition}:${offset}`).toSorted()); // prettier-ignore
      // Each partition in its order.
      for (let partition = 0; partition < PARTITIONS; partition++) {
        const offsets = copies.filter(one => one.partition === partition).map(({ headers }) => Number(headers.get('__replay.source.offset')));
        expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
      } // prettier-ignore
      expect(new Set(copies.map(({ headers }) => headers.get('__replay.run')))).toEqual(new Set([told.run]));
      const again = await millrace(`${line} --execute`);
      expect([again.code, JSON.parse(again.lines[0]!)]).toEqual([0, expect.objectContaining({ written: 0 })]);
      expect((await read(to)).length).toBe(RECORDS);
    },
    LIMIT_MS,
  );

  test(
    'by offsets of one partition to another topic, and by the time of arrival to the same',
    async () => {
      const to = uniqueName('replay-some');
      await world.broker.admin.createTopics([{ name: to, partitions: PARTITIONS, replicationFactor: 1 }]);
      const some = await millrace(`replay run --topic ${topic}:1 --from-offset 10 --to-offset 29 --to-topic ${to} --execute`); // prettier-ignore
      expect(some.code).toBe(0);
      const copies = await read(to);
      expect(copies.map(sourceOf)).toEqual(Array.from({ length: 20 }, (_, i) => `${topic}:1:${10 + i}`));

      const from = await endsOf(world, to);
      const sinceMs = Date.now() + 1;
      await eventually(async () => Date.now(), now => now > sinceMs, String); // prettier-ignore
      const producer = await world.broker.producer();
      await producer.send(Array.from({ length: 6 }, (_, n) => ({ topic: to, partition: n % PARTITIONS, key: null, value: Buffer.from(`late-${n}`) }))); // prettier-ignore
      await producer.close();
      const run = uniqueName('same');
      const same = `replay run --topic ${to} --from-datetime ${new Date(sinceMs).toISOString()} --run ${run} --execute`;
      expect([(await millrace(same)).code, (await millrace(same)).code]).toEqual([0, 0]);
      const late = (await recordsSince(path, to, from)).filter(({ headers }) => headers.get('__replay.run') === run); // prettier-ignore
      expect(late.map(({ value }) => value.toString()).toSorted()).toEqual(Array.from({ length: 6 }, (_, n) => `late-${n}`)); // prettier-ignore
    },
    LIMIT_MS,
  );
});

describeUnless(noStack)('a replay where services run', () => {
  let journey: Journey;
  let codec: Codec<object>;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    journey = await startJourney(['feature', 'inference']);
    closing.push(() => journey.close());
    codec = await openCodec<object>(journey.world.registry, valueOf(TOPICS.scored));
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
  }, LIMIT_MS);

  const send = async (records: readonly Omit<OutRecord, 'topic'>[]): Promise<void> => {
    const producer = await journey.world.broker.producer();
    await producer.send(records.map(record => ({ topic: TOPICS.scored, ...record })));
    await producer.close();
  };

  test(
    'vectors are replayed once inference has stopped, and have answers of the run beside the live ones; events are folded once',
    async () => {
      const { events, key, partition } = ofOne(5);
      const { world, services } = journey;
      const tops = [TOPICS.scored, TOPICS.features, TOPICS.predictions];
      const [inputs, vectors, answers] = await Promise.all(tops.map(name => endsOf(world, name)));
      await send(events.map(event => ({ partition, key, value: encoded(codec, event) })));
      const ids = events.map(({ eventId }) => eventId);
      const live = await answersTo(world, answers!, ids);
      expect((await vectorsSince(world, TOPICS.features, vectors!)).length).toBe(events.length);

      const at = (ends: typeof inputs): string => `${partition} --from-offset ${ends!.find(end => end.partition === partition)!.offset}`; // prettier-ignore
      const run = uniqueName('again');
      const rescoring = `replay run --topic ${TOPICS.features}:${at(vectors)} --to-topic ${TOPICS.aside} --run ${run} --execute`;
      const refolding = `replay run --topic ${TOPICS.scored}:${at(inputs)} --run ${run}-events --execute`;
      for (const line of [rescoring, refolding]) {
        const refused = await millrace(line);
        expect([refused.code, refused.said]).toEqual([1, expect.stringContaining('refused: ')]);
      }
      await services.stop();
      for (const line of [rescoring, refolding]) expect((await gone(line)).code).toBe(0);
      const second = await startJourney(['feature', 'inference']);
      closing.unshift(() => second.close());
      // One more, behind what was replayed: when it has its answer, all before it were read.
      const more = ofOne(1).events.map(event => ({ ...event, customerId: key.toString() }));
      await send(more.map(event => ({ partition, key, value: encoded(codec, event) })));
      await answersTo(second.world, answers!, [...ids, more[0]!.eventId]);
      const ofRun = await eventually(
        async () => (await predictionsSince(second.world, answers!)).filter(({ runId }) => runId === run),
        found => found.length >= events.length,
        found => `${found.length} answers of the run`,
      );
      expect(ofRun.map(scoreOf).toSorted()).toEqual(live.map(scoreOf).toSorted());
      const all = await predictionsSince(second.world, answers!);
      const ours = all.filter(({ entity }) => entity === key.toString());
      expect(new Set(ours.map(({ predictionId }) => predictionId)).size).toBe(ours.length);
      expect(ours.length).toBe(2 * events.length + 1);
    },
    LIMIT_MS,
  );
});

const scoreOf = ({ eventId, outputs }: PredictionValue): string => `${eventId} ${Math.fround(outputs['score']!).toPrecision(5)}`; // prettier-ignore

/** The members of a group that has just stopped are seen for a moment longer. */
const gone = (line: string) =>
  eventually(
    () => millrace(line),
    ({ said }) => !said.includes('refused: '),
    ({ said }) => said,
  );
