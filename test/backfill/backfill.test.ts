/** The commands on a broker in memory, with the real services. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { memoryRegistry } from '@millrace/avro';
import {
  backfillFeatures,
  type BackfillFlags,
  decoded,
  prepare,
  switchSet,
  wholeTopic,
  type World,
} from '@millrace/cli';
import { catalogue, MILLRACE_TOPICS, type Run } from '@millrace/contracts';
import { ofSet } from '@millrace/define';
import { FEATURE_DEFAULTS, featureService } from '@millrace/feature';
import { inferenceService } from '@millrace/inference';
import { openCodec } from '@millrace/avro';
import { type MemoryBroker, memoryBroker } from '@millrace/stream';
import { noLogger, noMetrics, systemClock } from '@millrace/telemetry';
import { twoSets, writeModels } from './definition.ts';
import { terminal } from './terminal.ts';
import { openTraffic, type Traffic } from './traffic.ts';

/** On a busy machine, for tests that fail. */
jest.setTimeout(120_000);

const pipeline = twoSets('fraud');
const HISTORY = 400;

let broker: MemoryBroker;
let world: World;
let traffic: Traffic;
let models: string;
let flags: BackfillFlags;
let stops: (() => Promise<void>)[];

beforeEach(async () => {
  broker = memoryBroker({ clock: systemClock });
  world = { broker, registry: memoryRegistry(), clock: systemClock };
  await prepare(world, [pipeline], () => '1');
  traffic = await openTraffic(world, pipeline);
  models = mkdtempSync(join(tmpdir(), 'millrace-models-'));
  writeModels(models, pipeline);
  flags = { version: 2, modelVersion: '2', models, by: 'ada', why: 'a longer window', lagMax: 20, switch: false, from: undefined, to: undefined, output: 'json' }; // prettier-ignore
  stops = [];
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
  await traffic.close();
  await broker.close();
  rmSync(models, { recursive: true });
});

const compute = async (version: number): Promise<() => Promise<void>> => {
  const { registry } = world;
  const settings = { config: { ...FEATURE_DEFAULTS, fetchWaitMsMax: 10, sessionTimeoutMs: 300 }, random: Math.random, metrics: noMetrics, logger: noLogger }; // prettier-ignore
  const service = featureService({ pipeline: ofSet(pipeline, version), broker: broker.connect(), registry, clock: systemClock, ...settings }); // prettier-ignore
  const abort = new AbortController();
  await service.start(abort.signal);
  const stop = async (): Promise<void> => {
    abort.abort(new Error('stopped'));
    await service.stop(2_000);
  };
  stops.push(stop);
  return stop;
};
const score = async (): Promise<void> => {
  const service = inferenceService({ pipelines: [pipeline], broker: broker.connect(), registry: world.registry, models, instance: 'one', config: { commitIntervalMs: 5 } }); // prettier-ignore
  await service.start(new AbortController().signal);
  stops.push(() => service.stop(5_000));
};
const runs = async (): Promise<readonly Run[]> => {
  const topic = MILLRACE_TOPICS.runs;
  const codec = await openCodec<Run>(
    world.registry,
    catalogue([]).find(({ name }) => name === topic)!.value!,
  );
  const found: Run[] = [];
  for await (const { value } of decoded(await wholeTopic(broker, topic), codec)) found.push(value as Run);
  return found;
};

test('interrupted and run again, it goes on with what it has fixed, and says how far it is', async () => {
  await traffic.send(HISTORY);
  const first = terminal((line, io) => line.startsWith('Nobody computes it') && io.interrupt());
  const stated = { ...flags, slice: 1_800_000, disorder: 7_200_000 };
  await expect(backfillFeatures(first, world, pipeline, stated)).rejects.toThrow('interrupted');
  expect(first.said).toEqual([
    `backfill-fraud-v2 is fixed: ${HISTORY} events of history.`,
    'Nobody computes it: start the feature service with MILLRACE_PIPELINES=fraud@2.',
    `history 0.0 %, 0 of ${HISTORY} events, ${HISTORY} to do`,
  ]);
  await traffic.send(50);
  await compute(2);
  const again = terminal();
  expect(await backfillFeatures(again, world, pipeline, flags)).toBe(0);
  expect(again.said[0]).toMatch(/^backfill-fraud-v2 was begun by ada at .*; going on with it\.$/);
  expect(again.said.at(-2)).toMatch(new RegExp(`^history done, ${HISTORY} events, \\d+ to do`));
  expect(again.said.at(-1)).toContain(
    'It is not served: millrace features switch --pipeline fraud --version 2',
  );
  expect(JSON.parse(again.data[0]!)).toMatchObject({ run: 'backfill-fraud-v2', events: HISTORY });
  const [fixed, done, ...others] = await runs();
  expect(others).toEqual([]);
  expect([fixed!.state, done!.state]).toEqual(['captured', 'done']);
  expect([fixed!.sliceMs, fixed!.disorderMs]).toEqual([1_800_000, 7_200_000]);
  expect(fixed!.slice.reduce((sum, { from, until }) => sum + until - from, 0)).toBe(HISTORY);
});

test('what cannot be backfilled is refused', async () => {
  await traffic.send(20);
  const io = terminal();
  await expect(backfillFeatures(io, world, pipeline, { ...flags, version: 3 })).rejects.toThrow(
    'pipeline fraud has no version 3 of its feature set; there are: 1, 2',
  );
  await expect(backfillFeatures(io, world, pipeline, { ...flags, version: 1 })).rejects.toThrow(
    'version 1 is served already',
  );
  await expect(backfillFeatures(io, world, pipeline, { ...flags, epochsOf: 1, disorder: 1 })).rejects.toThrow('leave --slice and --disorder out'); // prettier-ignore
  await expect(backfillFeatures(io, world, pipeline, { ...flags, from: '2026-02-01', to: '2026-01-01' })).rejects.toThrow('--from has to be before --to'); // prettier-ignore
  await expect(backfillFeatures(io, world, pipeline, { ...flags, epochsOf: 1, to: '2026-01-01' })).rejects.toThrow('leave --to out'); // prettier-ignore
  await expect(backfillFeatures(io, world, pipeline, { ...flags, epochsOf: 2 })).rejects.toThrow('another version than --version'); // prettier-ignore
  await expect(backfillFeatures(io, world, pipeline, { ...flags, epochsOf: 1 })).rejects.toThrow('has released no live epoch'); // prettier-ignore
  await compute(2);
  await expect(backfillFeatures(io, world, pipeline, flags)).rejects.toThrow('has begun without its history');
  expect(await runs()).toEqual([]);
});

test('a switch is refused while nothing fits or nobody computes, and taken when all is there; so is the way back', async () => {
  await traffic.send(HISTORY);
  const first = await compute(1);
  await score();
  const switching = { ...flags, evenBehind: false };
  const io = terminal();
  expect(await switchSet(io, world, pipeline, { ...switching, modelVersion: undefined })).toBe(1);
  expect(await switchSet(io, world, pipeline, { ...switching, modelVersion: '1' })).toBe(1);
  expect(await switchSet(io, world, pipeline, switching)).toBe(1);
  expect(io.said).toEqual([
    'refused: no model answers by version 2 of the feature set yet: name one with --model-version',
    'refused: it needs feature set fraud v1, here is fraud v2',
    'refused: nobody computes version 2: start the feature service with MILLRACE_PIPELINES=fraud@2',
  ]);
  const build = terminal(line => line.startsWith('Nobody computes it') && void compute(2));
  expect(await backfillFeatures(build, world, pipeline, { ...flags, switch: true })).toBe(0);
  const taken = JSON.parse(build.data.at(-1)!) as { version: number; from: Record<string, number> };
  expect(taken.version).toBe(2);
  const ends = await broker.admin.endOffsets('fraud.transactions.v1');
  expect(taken.from).toEqual(Object.fromEntries(ends.map(({ partition, offset }) => [partition, offset])));
  // The old one is needed for the way back.
  await first();
  const back = { ...switching, version: 1, modelVersion: undefined };
  const alone = terminal();
  expect(await switchSet(alone, world, pipeline, back)).toBe(1);
  expect(alone.said).toEqual(['refused: nobody computes version 1: start the feature service with MILLRACE_PIPELINES=fraud@1']); // prettier-ignore
  await compute(1);
  expect(await switchSet(terminal(), world, pipeline, back)).toBe(0);
});
