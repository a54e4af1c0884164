/** Stream and night over one portfolio on real Kafka, reconciled by the command line; then a night with planted differences. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { FIRST_MODEL_VERSION, openWorld, prepare, type Report, type Services, startServices, type World } from '@millrace/cli'; // prettier-ignore
import { consumerGroup, type PredictionValue, topicsOf } from '@millrace/contracts';
import { credit } from '@millrace/pipelines';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { plant, send, valuesOf } from '../parity/nights/plant.ts';
import { clientVector } from './clients.ts';
import { millrace } from './command.ts';
import { API_KEY, endsOf, eventually } from './world.ts';

const TOPICS = topicsOf(credit);
const CLIENTS = 2_000;
const LIMIT_MS = 240_000;

const everything = async <T>(world: World, topic: string): Promise<readonly T[]> =>
  Array.fromAsync(valuesOf<T>({ world, pipeline: credit }, topic));

describeUnless(noStack)('stream and night', () => {
  const prefix = uniqueName('client');
  let world: World;
  let services: Services;
  let folder: string;
  const stopping = new AbortController();

  beforeAll(async () => {
    world = openWorld(stackAddresses());
    folder = mkdtempSync(join(tmpdir(), 'millrace-reconcile-'));
    await prepare(world, [credit], () => FIRST_MODEL_VERSION);
    const older = Array.from({ length: CLIENTS / 2 }, (_, n) => clientVector(prefix, n, 0));
    const newest = Array.from({ length: CLIENTS }, (_, n) => clientVector(prefix, n, 1));
    await send({ world, pipeline: credit }, TOPICS.features, [...older, ...newest], ({ entity }) => entity);
    services = await startServices({
      names: ['inference'], addresses: stackAddresses(), directory: folder,
      environment: { ...process.env, MILLRACE_PIPELINES: credit.name, INFERENCE_SESSION_TIMEOUT_MS: '4000' },
      clock: world.clock, signal: stopping.signal, apiKey: API_KEY, token: uniqueName('millrace-journey'), say: () => undefined,
    });
    const ends = await endsOf(world, TOPICS.features);
    await eventually(
      () => world.broker.admin.committed(consumerGroup('inference', credit), [TOPICS.features]),
      done => ends.every(end => (done.find(({ partition }) => partition === end.partition)?.offset ?? 0) >= end.offset),
      done => `the stream has come to ${done.map(({ offset }) => offset).join(', ')}`,
    );
  }, LIMIT_MS); // prettier-ignore
  afterAll(async () => {
    stopping.abort(new Error('the test is over'));
    await services?.stop();
    await world.broker.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('of one portfolio reconcile to nothing; one changed, missing, extra and stale, and another model, are told', async () => {
    const [night, planted] = [uniqueName('night'), uniqueName('planted')];
    expect((await millrace(`batch run --pipeline credit --run ${night}`)).code).toBe(0);
    const page = join(folder, 'report.html');
    const same = await millrace(`reconcile --pipeline credit --run ${night} --html ${page} --output json`);
    const agreed = JSON.parse(same.lines.at(-1)!) as Report;
    expect([same.code, agreed.agrees, agreed.outcomes]).toEqual([
      0, true, expect.objectContaining({ differing: 0, missing: 0, extra: 0 }),
    ]);
    expect(agreed.outcomes.matched).toBeGreaterThanOrEqual(CLIENTS);
    expect(readFileSync(page, 'utf8')).toContain(`${night} and the stream agree`);

    const all = await everything<PredictionValue>(world, TOPICS.predictions);
    const ofNight = all.filter(({ runId }) => runId === night);
    const old = all.find(({ runId, eventId }) => runId === 'live' && eventId === `${prefix}-3-v0`)!;
    const changed = ofNight.flatMap((value): readonly PredictionValue[] => {
      if (value.entity === `${prefix}-1`) return [{ ...value, outputs: { score: value.outputs['score']! + 0.5 } }];
      if (value.entity === `${prefix}-2`) return [];
      if (value.entity === `${prefix}-3`) return [old];
      if (value.entity === `${prefix}-4`) return [{ ...value, modelVersion: '9', modelDigest: '9'.repeat(64) }];
      return [value];
    });
    const stranger = { ...ofNight[0]!, entity: `${prefix}-stranger`, eventId: `${prefix}-stranger` };
    await plant({ world, pipeline: credit }, planted, night, [...changed, stranger]);
    const differing = await millrace(`reconcile --pipeline credit --run ${planted} --output json`);
    const { examples, outcomes } = JSON.parse(differing.lines.at(-1)!) as Report;
    const told = [...examples.differing, ...examples.missing, ...examples.extra].map(one => `${one.entity.slice(prefix.length + 1)} ${one.causes[0]!.cause}`);
    expect([differing.code, told.sort()]).toEqual([3, ['1 score', '2 no-answer', '3 stale-vector', '4 model', 'stranger not-in-slice']]);
    expect(outcomes).toMatchObject({ matched: agreed.outcomes.matched - 4, differing: 3, missing: 1, extra: 1 });
    // Night against night: the same planted ones, by another way.
    const nights = await millrace(`reconcile --pipeline credit --run ${planted} --against ${night} --output json`);
    expect([nights.code, (JSON.parse(nights.lines.at(-1)!) as Report).outcomes]).toEqual([3, outcomes]);
  }, LIMIT_MS);
}); // prettier-ignore
