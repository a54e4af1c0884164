/**
 * Dead letters from end to end on a real stack: scenarios 17 to 20 and 38 of the fault list. What was written is judged
 * by librdkafka. The feature service runs with a planted mistake of its own code: it stumbles over one amount.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Codec, openCodec } from '@millrace/avro';
import { asideTopic, type PredictionValue, redrivenOf } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { openDatabase } from '@millrace/sink';
import type { OutRecord } from '@millrace/stream';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { millrace } from './command.ts';
import { encoded, LETTERS, lettersSince, ofOne, STUMBLES_AT, valueOf } from './letters.ts';
import { findPython } from './python.ts';
import { type Judged, recordsSince } from './records.ts';
import { answerId, answersTo, type Ends, endsOf, eventually, type Journey, type Payment, startJourney, TOPICS } from './world.ts'; // prettier-ignore

const LIMIT_MS = 120_000;
const TOPIC = TOPICS.scored;
const ASIDE = asideTopic(TOPIC);
const python = noStack === undefined ? await findPython() : { missing: noStack };
const missing = 'missing' in python ? python.missing : undefined;
const path = 'path' in python ? python.path : '';

describeUnless(missing)('dead letters', () => {
  let journey: Journey;
  let codec: Codec<object>;
  let predictions: Codec<PredictionValue>;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    journey = await startJourney(['feature', 'inference', 'sink'], { mutant: 'feature-stumbles' });
    closing.push(() => journey.close());
    const { registry } = journey.world;
    codec = await openCodec<object>(registry, valueOf(TOPIC));
    predictions = await openCodec<PredictionValue>(registry, valueOf(TOPICS.predictions));
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
  }, LIMIT_MS);

  const encode = (event: Payment): Buffer => encoded(codec, event);
  const send = async (records: readonly Omit<OutRecord, 'topic'>[]): Promise<void> => {
    const producer = await journey.world.broker.producer();
    await producer.send(records.map(record => ({ topic: TOPIC, ...record })));
    await producer.close();
  };
  const ends = async () => {
    const [letters, answers, aside, inputs] = await Promise.all([LETTERS, TOPICS.predictions, ASIDE, TOPIC].map(topic => endsOf(journey.world, topic))); // prettier-ignore
    return { letters: letters!, answers: answers!, aside: aside!, inputs: inputs! };
  };
  const letters = (from: Ends, count: number) =>
    eventually(
      () => lettersSince(journey.world, from),
      found => found.length >= count,
      found => `${found.length} of ${count} letters`,
    );
  /** Events answered since, as librdkafka reads the predictions: in their order, each as often as it is there. */
  const answered = async (from: Ends, key: Buffer): Promise<readonly PredictionValue[]> => {
    const found = (await recordsSince(path, TOPICS.predictions, from)).filter(one => one.key === key.toString()); // prettier-ignore
    await predictions.prepare(found.map(({ value }) => value));
    return found.map(({ value }) => predictions.decode(value) as PredictionValue);
  };
  const reasonsOf = (found: readonly Judged[]): string[] =>
    found.map(({ headers }) => headers.get('__dlq.errors.reason') ?? '?');
  const idsOf = (found: readonly { readonly eventId: string }[]): string[] => found.map(one => one.eventId);

  test(
    'poison bytes, a wrong magic byte, a schema that ours cannot read, and a record over which our code stumbles: the others flow, in their order',
    async () => {
      const { events, key, partition } = ofOne(6);
      const foreign = JSON.stringify({ type: 'record', name: 'Transaction', namespace: 'millrace.fraud', fields: [{ name: 'amount', type: 'string' }] }); // prettier-ignore
      const id = await journey.world.registry.register(`${uniqueName('foreign')}-value`, foreign);
      const incompatible = Buffer.from([0, 0, 0, 0, 0, 2, 0x31]);
      incompatible.writeUInt32BE(id, 1);
      const wrongMagic = encode(events[0]!);
      wrongMagic[0] = 1;
      const from = await ends();
      const values = [
        encode(events[0]!),
        Buffer.from('poison'),
        encode(events[1]!),
        wrongMagic,
        encode(events[2]!),
        incompatible,
        encode({ ...events[3]!, amount: STUMBLES_AT }),
        encode(events[4]!),
      ];
      await send(values.map(value => ({ partition, key, value })));
      await answersTo(journey.world, from.answers, [events[4]!.eventId]);
      await letters(from.letters, 4);

      expect(idsOf(await answered(from.answers, key))).toEqual([0, 1, 2, 4].map(i => events[i]!.eventId));
      const found = await recordsSince(path, LETTERS, from.letters);
      expect(reasonsOf(found).toSorted()).toEqual(['bad-frame', 'bad-frame', 'handler-failed', 'schema-mismatch']); // prettier-ignore
      for (const { headers, value, ...at } of found) {
        const offset = Number(headers.get('__dlq.errors.offset'));
        expect([at.key, at.partition, headers.get('__dlq.errors.stage')]).toEqual([key.toString(), partition, 'feature fraud']); // prettier-ignore
        const { offset: first } = from.inputs.find(end => end.partition === partition)!;
        expect(value.equals(values[offset - first]!)).toBe(true);
        for (const [name, text] of headers) expect([name, text.includes(key.toString())]).toEqual([name, false]); // prettier-ignore
      }
      expect(journey.said).toEqual([]);
    },
    LIMIT_MS,
  );

  test(
    'a letter topic that takes nothing: the transaction is dropped whole, and nothing is passed over',
    async () => {
      const { admin } = journey.world.broker;
      const { events, key, partition } = ofOne(2);
      const from = await ends();
      const refused = await commitsFailed(journey);
      // Less than any letter has, and more than the markers that end a transaction.
      await admin.alterTopic(LETTERS, { 'max.message.bytes': '100' });
      try {
        const values = [encode(events[0]!), Buffer.from('poison'), encode(events[1]!)];
        await send(values.map(value => ({ partition, key, value })));
        await eventually(
          () => commitsFailed(journey),
          count => count >= refused + 3,
          count => `${count - refused} commits were refused`,
        );
        expect(await recordsSince(path, LETTERS, from.letters)).toEqual([]);
        expect(await answered(from.answers, key)).toEqual([]);
        const committed = await admin.committed('millrace.feature.fraud', [TOPIC]);
        const { offset: first } = from.inputs.find(end => end.partition === partition)!;
        const at = committed.find(one => one.partition === partition)?.offset ?? 0;
        expect(at).toBeLessThanOrEqual(first + 1);
      } finally {
        await admin.alterTopic(LETTERS, { 'max.message.bytes': '1048588' });
      }
      await answersTo(journey.world, from.answers, idsOf(events));
      await letters(from.letters, 1);
      expect(reasonsOf(await recordsSince(path, LETTERS, from.letters))).toEqual(['bad-frame']);
      expect(idsOf(await answered(from.answers, key))).toEqual(idsOf(events));
    },
    LIMIT_MS,
  );

  test(
    'sent again by two at once, and once more: each letter is copied once and answered once, and says where it first stood',
    async () => {
      const { events, key, partition } = ofOne(6);
      const elsewhere = (partition + 1) % fraud.partitions;
      const from = await ends();
      await send(events.map(event => ({ partition: elsewhere, key, value: encode(event) })));
      const found = await letters(from.letters, events.length);
      expect(found.map(({ about }) => about['reason'])).toEqual(events.map(() => 'wrong-key'));

      const { offset: begin } = from.letters.find(end => end.partition === elsewhere)!;
      const redrive = `dlq redrive --topic ${TOPIC}:${elsewhere} --from-offset ${begin} --output json`;
      const plan = await millrace(redrive);
      expect([plan.code, JSON.parse(plan.lines[0]!)]).toEqual([0, expect.objectContaining({ letters: events.length, executed: false })]); // prettier-ignore
      await Promise.all([millrace(`${redrive} --execute`), millrace(`${redrive} --execute`)]);
      const last = await millrace(`${redrive} --execute`);
      expect(last.code).toBe(0);
      await answersTo(journey.world, from.answers, idsOf(events));
      const none = await millrace(`${redrive} --execute`);
      expect(JSON.parse(none.lines[0]!)).toMatchObject({ letters: 0, left: { redriven: events.length } });

      const copies = await recordsSince(path, ASIDE, from.aside);
      expect(copies.map(copy => [copy.partition, copy.value.toString('hex')])).toEqual(
        events.map(event => [partition, encode(event).toString('hex')]),
      );
      const { offset: first } = from.inputs.find(end => end.partition === elsewhere)!;
      expect(copies.map(({ headers }) => redrivenOf(name => bytesOf(headers.get(name))))).toEqual(
        events.map((_, i) => ({
          source: { topic: TOPIC, partition: elsewhere, offset: first + i },
          count: 1,
        })),
      );
      const answers = await answered(from.answers, key);
      expect(
        answers.map(one => [one.predictionId, one.sourceTopic, one.sourcePartition, one.sourceOffset]),
      ).toEqual(events.map(({ eventId }, i) => [answerId(eventId), TOPIC, elsewhere, first + i]));
      const list = await millrace('dlq list --pipeline fraud --output json');
      expect(JSON.parse(list.lines[0]!)).toContainEqual(expect.objectContaining({ topic: LETTERS, reason: 'wrong-key', stage: 'feature fraud' })); // prettier-ignore
    },
    LIMIT_MS,
  );

  test(
    'a poison record that is sent again and again is left after its limit',
    async () => {
      const { key, partition } = ofOne(1);
      const from = await ends();
      const { offset } = from.letters.find(end => end.partition === partition)!;
      const poison = Buffer.from(uniqueName('poison'));
      await send([{ partition, key, value: poison }]);
      await letters(from.letters, 1);
      const line = `dlq redrive --topic ${TOPIC}:${partition} --from-offset ${offset} --loops-max 2 --output json --execute`;
      for (let round = 1; round <= 2; round++) {
        const again = await millrace(line);
        expect([again.code, JSON.parse(again.lines[0]!)]).toEqual([
          0,
          expect.objectContaining({ letters: 1 }),
        ]);
        await letters(from.letters, round + 1);
      }
      const last = await millrace(line);
      expect(JSON.parse(last.lines[0]!)).toMatchObject({ letters: 0, left: { redriven: 2, loops: 1 } });
      expect((await recordsSince(path, ASIDE, from.aside)).map(({ headers }) => headers.get('__redrive.count'))).toEqual(['1', '2']); // prettier-ignore
      const found = await recordsSince(path, LETTERS, from.letters);
      expect(found.map(({ value }) => value.equals(poison))).toEqual([true, true, true]);
    },
    LIMIT_MS,
  );

  test(
    'a prediction that is sent again is stored, and one that is stored already is not stored twice',
    async () => {
      const { events, key, partition } = ofOne(1);
      const from = await ends();
      await send([{ partition, key, value: encode(events[0]!) }]);
      await answersTo(journey.world, from.answers, idsOf(events));
      const [answer] = await answered(from.answers, key);
      const again = { ...answer!, predictionId: uniqueName('again'), eventId: uniqueName('again') };
      const topic = asideTopic(TOPICS.predictions);
      const values = [answer!, again].map(one => predictions.encode(one));
      const producer = await journey.world.broker.producer();
      await producer.send(values.map(value => ({ topic, partition, key, value })));
      await producer.close();
      const database = openDatabase({
        url: stackAddresses().postgres,
        connectionsMax: 2,
        connectTimeoutS: 10,
      });
      const rowsOf = (eventId: string) => database.predictions(fraud.name, eventId);
      try {
        await eventually(() => rowsOf(again.eventId), rows => rows.length > 0, () => 'no row'); // prettier-ignore
        const rows = [...(await rowsOf(again.eventId)), ...(await rowsOf(answer!.eventId))];
        expect(rows.map(row => row['prediction_id'])).toEqual([again.predictionId, answer!.predictionId]);
      } finally {
        await database.close();
      }
    },
    LIMIT_MS,
  );
});

const bytesOf = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : Buffer.from(text);

/** Commits of the feature service that the brokers have refused. */
const commitsFailed = async ({ services }: Journey): Promise<number> => {
  const answer = await fetch(`http://127.0.0.1:${services.port('feature')}/metrics`);
  const lines = (await answer.text()).split('\n');
  const line = lines.find(text => text.startsWith('millrace_commits_total') && text.includes('outcome="failed"')); // prettier-ignore
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
};
