/** The night on real Kafka, by the command line: killed in the midst, asked for again, while new vectors come. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Bad, openCodec } from '@millrace/avro';
import { decoded, FIRST_MODEL_VERSION, openWorld, prepare, type World } from '@millrace/cli';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { credit } from '@millrace/pipelines';
import { describeUnless } from '../jest/skip.ts';
import { noStack, stackAddresses, uniqueName } from '../jest/stack.ts';
import { publishClients } from './clients.ts';
import { millrace } from './command.ts';
import { type Ends, endsOf, eventually } from './world.ts';

const TOPICS = topicsOf(credit);
const MAIN = join(import.meta.dirname, '../../services/cli/src/main.ts');
const CLIENTS = 30_000;
const LIMIT_MS = 240_000;

const codecOf = <T>(world: World, topic: string) =>
  openCodec<T>(world.registry, catalogue([credit]).find(({ name }) => name === topic)!.value!);

const answersOf = async (world: World, from: Ends, run: string): Promise<readonly PredictionValue[]> => {
  const codec = await codecOf<PredictionValue>(world, TOPICS.predictions);
  const found: PredictionValue[] = [];
  const until = await endsOf(world, TOPICS.predictions);
  for await (const { value } of decoded(world.broker.read({ from, until }), codec))
    if (value !== null && !(value instanceof Bad) && value.runId === run) found.push(value);
  return found;
};

/** An engine may give another last digit with another batch. */
const SCORE_TOLERANCE = 1e-6;

describeUnless(noStack)('a night on Kafka', () => {
  let world: World;
  let from: Ends;
  const prefix = uniqueName('client');
  beforeAll(async () => {
    world = openWorld(stackAddresses());
    await prepare(world, [credit], () => FIRST_MODEL_VERSION);
    from = await endsOf(world, TOPICS.predictions);
    await publishClients(world, prefix, 0, CLIENTS / 4);
    await publishClients(world, prefix, 1, CLIENTS);
  }, LIMIT_MS);
  afterAll(() => world.broker.close());

  test('killed in the midst and asked for again, each client is scored once, from a vector inside the slice', async () => {
    const [run, whole] = [uniqueName('night'), uniqueName('whole')];
    const { kafka, registry } = stackAddresses();
    const child = spawn(process.execPath, [MAIN, 'batch', 'run', '--pipeline', 'credit', '--run', run], {
      env: { ...process.env, KAFKA_BOOTSTRAP_SERVERS: kafka, SCHEMA_REGISTRY_URL: registry },
      stdio: 'ignore',
    });
    const ended = new Promise(resolve => child.once('close', resolve));
    // To read the answers takes as long as to score some thousands: where their topic ends is enough.
    const sumOf = (ends: Ends): number => ends.reduce((sum, { offset }) => sum + offset, 0);
    await eventually(
      () => endsOf(world, TOPICS.predictions),
      ends => sumOf(ends) > sumOf(from),
      () => 'the night has scored nothing',
      undefined,
      10, // ms: a night of some ten thousands takes less than a second
    );
    child.kill('SIGKILL');
    await ended;
    const before = await answersOf(world, from, run);
    // What comes now is not of this night's slice, and is of the other's.
    const resumed = millrace(`batch run --pipeline credit --run ${run} --output json`);
    await publishClients(world, prefix, 2, 1_000);
    const { code, lines } = await resumed;
    const manifest = JSON.parse(lines.at(-1)!) as { entities: number; scored: number; repeated: number; digest: string };
    // It was killed in the midst indeed; others' clients are of the slice, too.
    expect(before.length).toBeLessThan(manifest.entities);
    const found = await answersOf(world, from, run);
    expect([code, manifest.entities, manifest.scored, manifest.repeated]).toEqual([0, found.length, found.length, 0]);
    const ours = found.filter(({ entity }) => entity.startsWith(`${prefix}-`));
    expect(ours.map(({ eventId }) => eventId).sort()).toEqual(Array.from({ length: CLIENTS }, (_, n) => `${prefix}-${n}-v1`).sort());
    const again = await millrace(`batch run --pipeline credit --run ${run} --output json`);
    expect([again.code, (JSON.parse(again.lines.at(-1)!) as typeof manifest).digest]).toEqual([0, manifest.digest]);
    expect(await answersOf(world, from, run)).toHaveLength(found.length);
    // The same clients in a night that nobody killed: what has not changed since has the same vectors and scores.
    expect((await millrace(`batch run --pipeline credit --run ${whole}`)).code).toBe(0);
    const changed = (entity: string): boolean => Number(entity.slice(prefix.length + 1)) < 1_000;
    const scores = (answers: readonly PredictionValue[]) =>
      new Map(answers.filter(({ entity }) => entity.startsWith(`${prefix}-`) && !changed(entity)).map(one => [`${one.eventId} ${one.vectorOffset}`, one.outputs['score']!]));
    const [ofRun, ofWhole] = [scores(found), scores(await answersOf(world, from, whole))];
    expect([...ofWhole.keys()].sort()).toEqual([...ofRun.keys()].sort());
    expect(Math.max(...[...ofWhole].map(([vector, score]) => Math.abs(score - ofRun.get(vector)!)))).toBeLessThanOrEqual(SCORE_TOLERANCE);
  }, LIMIT_MS);
}); // prettier-ignore
