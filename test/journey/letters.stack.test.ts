/**
 * Dead letters on a real stack: scenarios 17 to 19 of the fault list. What was written is judged by librdkafka. The feature service runs with a planted mistake of its own code: it stumbles over one amount.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Codec, openCodec } from '@millrace/avro';
import type { PredictionValue } from '@millrace/contracts';
import type { OutRecord } from '@millrace/stream';
import { describeUnless } from '../jest/skip.ts';
import { noStack, uniqueName } from '../jest/stack.ts';
import { encoded, LETTERS, lettersSince, ofOne, STUMBLES_AT, valueOf } from './letters.ts';
import { findPython } from './python.ts';
import { type Judged, recordsSince } from './records.ts';
import { answersTo, type Ends, endsOf, eventually, type Journey, type Payment, startJourney, TOPICS } from './world.ts'; // prettier-ignore

const LIMIT_MS = 120_000;
const TOPIC = TOPICS.scored;
const python = noStack === undefined ? await findPython() : { missing: noStack };
const missing = 'missing' in python ? python.missing : undefined;
const path = 'path' in python ? python.path : '';

describeUnless(missing)('dead letters', () => {
  let journey: Journey;
  let codec: Codec<object>;
  let predictions: Codec<PredictionValue>;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    journey = await startJourney(['feature', 'inference'], { mutant: 'feature-stumbles' });
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
    const of = (topic: string): Promise<Ends> => endsOf(journey.world, topic);
    return { letters: await of(LETTERS), answers: await of(TOPICS.predictions), inputs: await of(TOPIC) };
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
});
