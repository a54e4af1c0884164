/** From a request to a row, with services killed and bytes that nobody should send. */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { runProgram } from '@millrace/cli';
import { deadLetterTopic } from '@millrace/contracts';
import { fraud } from '@millrace/pipelines';
import { murmur2Partition, type RecordRun } from '@millrace/stream';
import { describeStack, stackAddresses, stackTest as test, uniqueName } from '../jest/stack.ts';
import {
  eventually,
  type Journey,
  payment,
  post,
  predictionsSince,
  startJourney,
  TOPICS,
} from './journey.ts';

const SLOW_MS = 120_000;

describeStack('a record on its journey', () => {
  let journey: Journey;
  beforeAll(async () => {
    journey = await startJourney();
  }, SLOW_MS);
  afterAll(() => journey.end(), SLOW_MS);

  const command = async (argv: readonly string[]): Promise<{ code: number; data: string[] }> => {
    const data: string[] = [];
    const { kafka, registry } = stackAddresses();
    const code = await runProgram([...argv, '--bootstrap-server', kafka, '--registry', registry], {
      out: line => void data.push(line),
      say: () => undefined,
      rewrite: () => undefined,
      stdin: process.stdin,
      environment: {},
      signal: new AbortController().signal,
      interactive: false,
    });
    return { code, data };
  };

  test(
    'an event sent over HTTP is a row with its provenance, and can be traced back to its bytes',
    async () => {
      const id = uniqueName('http');
      const ends = await journey.world.broker.admin.endOffsets(TOPICS.predictions);
      const answer = await post(journey, JSON.stringify(payment(id, id)), {
        traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
      });
      expect(answer.status).toBe(202);
      const seen = await predictionsSince(journey, ends, all => all.some(p => p.eventId === id));
      const prediction = seen.find(p => p.eventId === id)!;
      expect(prediction).toMatchObject({
        entity: id,
        model: 'fraud',
        modelVersion: '1',
        controlRevision: 1,
        runId: 'live',
        fallback: null,
      });
      expect(prediction.traceparent).toContain('a'.repeat(32));
      const row = await eventually(async () => {
        const found = await fetch(journey.url('sink', `/v1/fraud/predictions/${id}`));
        return found.ok
          ? ((await found.json()) as { predictions: Record<string, unknown>[] }).predictions[0]
          : undefined;
      });
      expect(row).toMatchObject({
        prediction_id: prediction.predictionId,
        decision: prediction.decision,
        features: { amount: 12.5 },
      });

      const traced = await command(['trace', prediction.predictionId, '--output', 'json']);
      expect(traced.code).toBe(0);
      const { findings } = JSON.parse(traced.data[0]!) as {
        findings: { what: string; found: boolean; matches: boolean }[];
      };
      expect(findings.map(f => [f.what, f.found, f.matches])).toEqual([
        ['input', true, true],
        ['feature vector', true, true],
        ['model', true, true],
      ]);
      const tailed = await command([
        'tail',
        'predictions',
        '--from-beginning',
        '--limit',
        '1',
        '--output',
        'json',
      ]);
      expect(JSON.parse(tailed.data[0]!)).toHaveProperty('predictionId');
    },
    SLOW_MS,
  );

  test(
    'killed in the midst, inference and feature lose nothing; a repeat has the same id',
    async () => {
      const run = uniqueName('kill');
      const ids = Array.from({ length: 2_000 }, (_, i) => `${run}-${i}`);
      const ends = await journey.world.broker.admin.endOffsets(TOPICS.predictions);
      const features = await journey.world.broker.admin.endOffsets(TOPICS.features);
      for (let i = 0; i < ids.length; i += 100) {
        const events = ids
          .slice(i, i + 100)
          .map((id, k) => payment(id, `${run}-c${(i + k) % 37}`, { sequence: i + k }));
        expect((await post(journey, JSON.stringify(events))).status).toBe(202);
        const victim = i === 600 ? 'inference' : i === 1_200 ? 'feature' : undefined;
        if (victim !== undefined)
          process.kill(journey.services.list().find(s => s.name === victim)!.pid, 'SIGKILL');
      }
      const ours = (id: string): boolean => id.startsWith(run);
      const seen = await predictionsSince(
        journey,
        ends,
        all => new Set(all.filter(p => ours(p.eventId)).map(p => p.eventId)).size === ids.length,
      );
      const answers = seen.filter(p => ours(p.eventId));
      expect(new Set(answers.map(p => p.eventId)).size).toBe(ids.length);
      expect(new Set(answers.map(p => p.predictionId)).size).toBe(ids.length);
      expect(journey.said.filter(line => line.includes('starting it again'))).toHaveLength(2);
      // The feature service is exactly-once: no vector came twice, killed or not.
      let vectors = 0;
      const until = await journey.world.broker.admin.endOffsets(TOPICS.features);
      for await (const records of journey.world.broker.read({ from: features, until }))
        vectors += countOf(records, run);
      expect(vectors).toBe(ids.length);
    },
    SLOW_MS,
  );

  test(
    'what nobody should send is answered or lies in the dead letters with its reason, and the next event is scored',
    async () => {
      const refused = await Promise.all([
        post(journey, '{"eventId": '),
        post(journey, JSON.stringify(payment('x', 'x', { amount: 'a lot' }))),
        post(journey, '{}', {}, '/v1/nothing/transactions'),
        post(journey, '{}', { 'content-type': 'text/html' }),
        post(journey, '{}', { authorization: 'Bearer wrong' }),
        post(journey, `[${'1,'.repeat(5_000_000)}1]`),
      ]);
      expect(refused.map(r => r.status)).toEqual([400, 422, 404, 415, 401, 413]);

      const name = uniqueName('hostile');
      const key = Buffer.from(name);
      const partition = murmur2Partition(key, fraud.partitions);
      const topic = TOPICS.scored;
      const letters = await journey.world.broker.admin.endOffsets(deadLetterTopic(topic));
      const unknown = Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3]);
      const latest = (await journey.world.registry.latest(`${topic}-value`))!.id;
      const truncated = Buffer.from([0, 0, 0, latest >> 8, latest & 255, 0x50, 0x41]);
      const headers = Array.from(
        { length: 8_000 },
        (_, i) => [i === 0 ? '__proto__' : `h${i}`, Buffer.from('x')] as const,
      );
      const producer = await journey.world.broker.producer();
      await producer.send([
        { topic, partition, key, value: Buffer.from('no frame') },
        { topic, partition, key, value: unknown },
        { topic, partition, key, value: truncated },
        { topic, partition, key, value: Buffer.from('bomb'), headers },
        { topic, partition, key, value: null },
      ]);
      await producer.close();
      const found = await eventually(async () => {
        const seen: { reason: string; bytes: string }[] = [];
        const until = await journey.world.broker.admin.endOffsets(deadLetterTopic(topic));
        for await (const run of journey.world.broker.read({ from: letters, until }))
          for (let i = 0; i < run.length; i++) {
            if (Buffer.from(run.key(i) ?? []).toString() !== name) continue;
            expect(run.partition).toBe(partition);
            seen.push({
              reason: Buffer.from(run.header(i, '__dlq.errors.reason') ?? []).toString(),
              bytes: Buffer.from(run.value(i)!).toString('latin1'),
            });
          }
        return seen.length === 4 ? seen : undefined;
      });
      expect(found).toEqual([
        { reason: 'bad-frame', bytes: 'no frame' },
        { reason: 'unknown-schema', bytes: unknown.toString('latin1') },
        { reason: 'bad-value', bytes: truncated.toString('latin1') },
        { reason: 'bad-frame', bytes: 'bomb' },
      ]);
      const ends = await journey.world.broker.admin.endOffsets(TOPICS.predictions);
      expect((await post(journey, JSON.stringify(payment(`${name}-good`, name)))).status).toBe(202);
      const seen = await predictionsSince(journey, ends, all => all.some(p => p.eventId === `${name}-good`));
      expect(seen.some(p => p.eventId === `${name}-good`)).toBe(true);
    },
    SLOW_MS,
  );
});

const countOf = (run: RecordRun, prefix: string): number =>
  Array.from({ length: run.length }, (_, i) => Buffer.from(run.key(i) ?? []).toString()).filter(key =>
    key.startsWith(prefix),
  ).length;
