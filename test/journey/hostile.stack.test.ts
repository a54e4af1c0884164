/** What no careful producer would send: each is answered, or put aside with its reason, and the work goes on. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openCodec } from '@millrace/avro';
import { catalogue } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition, type OutRecord } from '@millrace/stream';
import { describeStack, uniqueName } from '../jest/stack.ts';
import { type Letter, LETTERS, lettersSince } from './letters.ts';
import {
  answerId, answersTo, API_KEY, endsOf, eventually, type Journey, payments, postEvents, startJourney, TOPICS,
} from './world.ts'; // prettier-ignore

const LIMIT_MS = 120_000;
const HEADERS = 8_000;
const MIB = 1 << 20;

describeStack('hostile input', () => {
  let journey: Journey;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    journey = await startJourney();
    closing.push(() => journey.close());
  }, LIMIT_MS);
  afterAll(async () => {
    for (const close of closing) await close();
  }, LIMIT_MS);

  const post = async (body: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await postEvents(journey, body, headers);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    return { status: answer.status, ...((await answer.json()) as object) };
  };

  const expectReady = async (): Promise<void> => {
    for (const { name, port } of journey.services.list()) {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
      expect([name, answer.status]).toEqual([name, 200]);
    }
    // None of them ended and was started again.
    expect(journey.said).toEqual([]);
  };

  /** A good event is scored, whatever came before it. */
  const expectScored = async (): Promise<void> => {
    const { world } = journey;
    const from = await endsOf(world, TOPICS.predictions);
    const good = payments(1, 1);
    expect((await postEvents(journey, JSON.stringify(good[0]))).status).toBe(202);
    const [answer] = await answersTo(world, from, [good[0]!.eventId]);
    expect(answer!.predictionId).toBe(answerId(good[0]!.eventId));
  };

  test(
    'over HTTP: each is answered with a problem that names the field, and the event after it is scored',
    async () => {
      const [payment] = payments(1, 1);
      const text = JSON.stringify(payment);
      const from = await endsOf(journey.world, TOPICS.scored);

      expect(await post('{"eventId": ')).toMatchObject({
        status: 400,
        detail: expect.stringContaining('not JSON'),
      });
      expect(await post(JSON.stringify({ ...payment, amount: { much: true } }))).toMatchObject({
        status: 422,
        field: 'amount',
      });
      expect(await post(JSON.stringify({ ...payment, txAt: '30 February' }))).toMatchObject({
        status: 422,
        field: 'txAt',
      });
      expect(await post(text.replace('{', '{"__proto__":{"amount":1},'))).toMatchObject({
        status: 422,
        field: '__proto__',
      });
      expect(await post('['.repeat(20_000))).toMatchObject({ status: 413 });
      expect(await post(text, { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
      expect(await post(text, { authorization: '' })).toMatchObject({ status: 401 });
      expect(await post(text, { authorization: 'Bearer a-key-of-nobody' })).toMatchObject({ status: 401 });
      expect(await post(`"${'x'.repeat(5 * MIB)}"`)).toMatchObject({ status: 413 });

      const unknown = await fetch(
        `http://127.0.0.1:${journey.services.port('ingest')}/v1/no-such-pipeline/events`,
        {
          method: 'POST',
          headers: { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' },
          body: text,
        },
      );
      expect(unknown.status).toBe(404);
      expect(await unknown.json()).toMatchObject({
        known: expect.arrayContaining(['/v1/fraud/transactions']),
      });

      expect(await endsOf(journey.world, TOPICS.scored)).toEqual(from);
      await expectReady();
      await expectScored();
    },
    LIMIT_MS,
  );

  test(
    'straight to the topic: each lies in the dead letters with its reason, its bytes and its partition',
    async () => {
      const { world } = journey;
      const topic = TOPICS.scored;
      const { value: spec, partitions } = catalogue([fraud]).find(({ name }) => name === topic)!;
      const codec = await openCodec<object>(world.registry, spec!);
      const encode = (event: object): Buffer =>
        Buffer.from(codec.encode({ revision: 0, withdrawn: false, lineage: null, ...event }));
      const key = Buffer.from(uniqueName('hostile'));
      const partition = murmur2Partition(key, partitions);
      const [one, carried] = payments(2, 1).map(event => ({ ...event, customerId: key.toString() }));
      const value = encode(one!);
      const many = Array.from({ length: HEADERS }, (_, i) => [`h${i}`, Buffer.from(String(i))] as const);

      const hostile: Readonly<Record<string, Omit<OutRecord, 'topic'>>> = {
        'bad-frame': { partition, key, value: Buffer.from('no frame at all') },
        'unknown-schema': {
          partition,
          key,
          value: Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), value.subarray(5)]),
        },
        'bad-value': { partition, key, value: value.subarray(0, value.length - 12) },
        'no key': { partition, key: null, value },
        'another key': { partition, key: Buffer.from('somebody else'), value },
        'another partition': { partition: (partition + 1) % partitions, key, value },
        'many headers': { partition, key, value: Buffer.from('many headers, no frame'), headers: many },
        'a header __proto__': {
          partition,
          key,
          value: Buffer.from('a header, no frame'),
          headers: [
            ['__proto__', Buffer.from('polluted')],
            ['constructor', Buffer.from('polluted')],
          ],
        },
      };
      const lettersFrom = await endsOf(world, LETTERS);
      const from = await endsOf(world, TOPICS.predictions);
      const producer = await world.broker.producer();
      try {
        await producer.send([
          ...Object.values(hostile).map(record => ({ topic, ...record })),
          { topic, partition, key, value: null },
          // Headers alone are no reason to refuse an event.
          { topic, partition, key, value: encode(carried!), headers: many },
        ]);
      } finally {
        await producer.close();
      }

      const letters = await eventually(
        () => lettersSince(world, lettersFrom),
        found => found.length >= Object.keys(hostile).length,
        found => found.map(({ about }) => about['reason']).join(', '),
      );
      const answers = await answersTo(world, from, [carried!.eventId]);
      expect(answers[0]!.entity).toBe(key.toString());
      expect(letters.length).toBe(Object.keys(hostile).length);

      const letterOf = (name: string): Letter => {
        const { key: sentKey, value: bytes, partition: at } = hostile[name]!;
        const found = letters.filter(
          letter =>
            letter.value.equals(Buffer.from(bytes!)) &&
            letter.partition === at &&
            letter.key === (sentKey === null ? null : Buffer.from(sentKey).toString()),
        );
        expect([name, found.length]).toEqual([name, 1]);
        expect(found[0]!.about).toMatchObject({ topic, partition: String(at), stage: 'feature fraud' });
        return found[0]!;
      };
      for (const reason of ['bad-frame', 'unknown-schema', 'bad-value'])
        expect(letterOf(reason).about['reason']).toBe(reason);
      for (const name of ['no key', 'another key', 'another partition'])
        expect([name, letterOf(name).about['reason']]).toEqual([name, 'wrong-key']);
      expect(letterOf('another partition').about['message']).toContain('murmur2_random');

      const capped = letterOf('many headers');
      expect(capped.about['reason']).toBe('bad-frame');
      expect(capped.own.length + Number(capped.about['headers.dropped'])).toBe(HEADERS);
      expect(capped.own[0]).toEqual(['h0', '0']);
      expect(letterOf('a header __proto__').own).toEqual([
        ['__proto__', 'polluted'],
        ['constructor', 'polluted'],
      ]);
      await expectReady();
      await expectScored();
    },
    LIMIT_MS,
  );
});
