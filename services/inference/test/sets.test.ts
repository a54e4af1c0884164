/** Two versions of the feature set side by side, and the service between them. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { type FeaturesValue, scoredValues, topicsOf } from '@millrace/contracts';
import { count, featureNames, featureView, hashFeatureSet, ofSet, type Pipeline } from '@millrace/define';
import { seededRandom } from '@millrace/pipelines';
import type { MakeScorer } from '@millrace/model';
import { type MemoryBroker, memoryBroker, murmur2Partition } from '@millrace/stream';
import { memoryRegistry } from '@millrace/avro';
import { systemClock } from '@millrace/telemetry';
import {
  fakeScorer,
  PIPELINE,
  type Prediction,
  until,
  utf8,
  vectorOf,
  World,
  writeModel,
} from './harness.ts';

/** On a busy machine, for tests that fail. */
jest.setTimeout(120_000);

const signal = new AbortController().signal;
const customerYear = featureView({
  name: 'customer-year',
  version: 1,
  key: 'customerId',
  features: { customerTxCount365d: count({ of: 'transactions', window: '365d' }) },
});
const { features } = PIPELINE;
const pipeline: Pipeline = {
  ...PIPELINE,
  beside: [{ ...features, version: 2, views: [...features.views, customerYear] }],
};
const NEW = 'customerTxCount365d';

/** An event as it stands on the scored stream, with the vectors that its versions have yet to write. */
interface Event {
  readonly n: number;
  readonly partition: number;
  readonly offset: number;
}

let world: World;
let broker: MemoryBroker;
let events: Event[];
/** How many events each version has written the vectors of. */
let written: [number, number];

beforeEach(async () => {
  broker = memoryBroker({ clock: systemClock });
  world = await World.open({ pipeline, registry: memoryRegistry(), broker, connect: () => broker.connect() });
  writeModel(world.models, { name: 'fraud', version: '1', divisor: 1024 });
  const featureSet = { pipeline: 'fraud', version: 2, hash: hashFeatureSet(ofSet(pipeline, 2)) };
  writeModel(world.models, { name: 'fraud', version: '2', divisor: 2048, changes: { featureSet } });
  await world.alias('1');
  events = [];
  written = [0, 0];
});
afterEach(() => world.close());

const model2 = (): Promise<number> =>
  world.control({ kind: 'model-alias', name: 'champion@2', value: { model: 'fraud', version: '2' } });
const serve = (version: number): Promise<number> =>
  world.control({ kind: 'feature-set', name: 'serving', value: { version } });

/** Events on the scored stream; of what they say nothing is read here. */
const happen = async (many: number): Promise<void> => {
  for (let i = 0; i < many; i++) {
    const n = 100 + events.length;
    const key = utf8(vectorOf(n).entity);
    const partition = murmur2Partition(key, pipeline.partitions);
    const offset = events.filter(event => event.partition === partition).length;
    await world.send([{ topic: world.topics.scored, partition, key, value: utf8('event') }]);
    events.push({ n, partition, offset });
  }
};

const vectorIn = (version: number, { n, partition, offset }: Event): FeaturesValue => {
  const set = ofSet(pipeline, version);
  const own = vectorOf(n, { featureSet: version, featureSetHash: hashFeatureSet(set), sourcePartition: partition, sourceOffset: offset }); // prettier-ignore
  const values = featureNames(set.features).map((name, i) => [name, name === 'amount' ? n : 10 * version + i] as const);
  return { ...own, features: Object.fromEntries(values) };
}; // prettier-ignore

/** The version's vectors of its next events, every seventh aside. */
const compute = async (version: 1 | 2, many = Infinity): Promise<void> => {
  const from = written[version - 1]!;
  const next = events.slice(from, from + many);
  written[version - 1] = from + next.length;
  const topics = topicsOf(ofSet(pipeline, version));
  for (const event of next) {
    const topic = event.n % 7 === 0 ? topics.aside : topics.features;
    await world.vectors([vectorIn(version, event)], topic);
  }
};

/** Each event once, each answer wholly of one version, and versions change nowhere but at a few places. */
const judge = (found: readonly Prediction[], changesMax: number): void => {
  expect(found.map(({ eventId }) => eventId).sort()).toEqual(events.map(({ n }) => `event-${n}`).sort());
  const valuesOf = scoredValues(pipeline);
  const byPlace = new Map(found.map(one => [`${one.sourcePartition} ${one.sourceOffset}`, one]));
  let changes = 0;
  for (const event of events) {
    const one = byPlace.get(`${event.partition} ${event.offset}`)!;
    const vector = vectorIn(one.featureSet, event);
    expect(one.featureSetHash).toBe(vector.featureSetHash);
    expect(valuesOf(one)).toEqual(vector.features);
    expect(one.modelVersion).toBe(String(one.featureSet));
    expect(one.outputs).toEqual({ score: Math.fround(event.n / (1024 * one.featureSet)) });
    const before = byPlace.get(`${event.partition} ${event.offset - 1}`);
    if (before !== undefined && before.featureSet !== one.featureSet) changes++;
  }
  expect(changes).toBeLessThanOrEqual(changesMax * pipeline.partitions);
};
const versionsOf = (found: readonly Prediction[]): ReadonlySet<number> =>
  new Set(found.map(p => p.featureSet));

const answered = async (version: number, least: number): Promise<void> =>
  until(
    async () => (await world.predictions()).filter(p => p.featureSet === version).length >= least,
    `${least} answers by version ${version}`,
  );

/** Goes on in all tasks once they have taken the version: events that come later are answered by it. */
const taken = async (version: 1 | 2): Promise<void> => {
  await until(async () => {
    const tasks = new Map<number, number>();
    const codec = await world.codec<{ task: number; cuts: { version: number }[] }>(world.topics.cuts);
    const ends = await broker.admin.endOffsets(world.topics.cuts);
    for await (const run of broker.read({ from: { topic: world.topics.cuts, at: 'beginning' }, until: ends }))
      for (let i = 0; i < run.length; i++) {
        const value = codec.decode(run.value(i)!) as { task: number; cuts: { version: number }[] };
        tasks.set(value.task, value.cuts.at(-1)!.version);
      }
    return tasks.size === pipeline.partitions && [...tasks.values()].every(of => of === version);
  }, `every task serves version ${version}`);
};

test('the second is built and read beside the first, switched to, and back: nothing twice, nothing lost', async () => {
  const service = world.start();
  await service.start(signal);
  await happen(40);
  await compute(1);
  await compute(2);
  await answered(1, 40);
  await model2();
  await serve(2);
  await taken(2);
  await happen(30);
  // The new version is ahead of the old one, then behind it: who is first decides nothing.
  await compute(2, 10);
  await compute(1);
  await compute(2);
  await answered(2, 30);
  await serve(1);
  await taken(1);
  await happen(30);
  await compute(2);
  await compute(1);
  const found = await world.scored(100);
  judge(found, 2);
  expect(found.map(p => p.featureSet).filter(version => version === 2)).toHaveLength(30);
  expect(service.notReady?.()).toBeUndefined();
});

test('a switch is taken although the model of the version before does not answer, and its rows stay open', async () => {
  const stuck = Promise.withResolvers<void>();
  let asked = 0;
  const makeScorer: MakeScorer = async (bytes, manifest) => {
    const scorer = await fakeScorer(bytes, manifest);
    const score: typeof scorer.score = async batch => {
      // Golden rows have smaller amounts than events.
      if (manifest.version === '1' && batch.data[0]! >= 100) {
        asked++;
        await stuck.promise;
      }
      return scorer.score(batch);
    };
    return { ...scorer, score };
  };
  await model2();
  await world.start({ makeScorer }).start(signal);
  await happen(20);
  await compute(1);
  await until(() => asked > 0, 'the first model is asked');
  await serve(2);
  await taken(2);
  await happen(10);
  await compute(2);
  await answered(2, 10);
  expect(versionsOf(await world.predictions())).toEqual(new Set([2]));
  stuck.resolve();
  await compute(1);
  judge(await world.scored(30), 1);
});

test('a prediction by the new version has the new value, and one by the old does not', async () => {
  await model2();
  await world.start().start(signal);
  await happen(2);
  await compute(1);
  await serve(2);
  await taken(2);
  await happen(2);
  await compute(2);
  const valuesOf = scoredValues(pipeline);
  const found = await world.scored(4);
  const has = (version: number): readonly boolean[] =>
    found.filter(p => p.featureSet === version).map(p => Object.hasOwn(valuesOf(p), NEW));
  expect([has(1), has(2)]).toEqual([
    [false, false],
    [true, true],
  ]);
});

test('a switch without a model that fits is refused: the old version goes on, and readiness says why', async () => {
  const service = world.start();
  await service.start(signal);
  await world.control({ kind: 'model-alias', name: 'champion@2', value: { model: 'fraud', version: '1' } });
  await serve(2);
  await until(() => service.notReady?.()?.includes('fraud 1') === true, 'it says what does not fit');
  expect(service.notReady!()).toBe(
    'fraud: version 2 of the feature set: model fraud 1 is refused: it needs feature set fraud v1, here is fraud v2',
  );
  await happen(20);
  await compute(2);
  await compute(1);
  judge(await world.scored(20), 0);
  await model2();
  await taken(2);
  await happen(5);
  await compute(2);
  await answered(2, 5);
  expect(service.notReady!()).toBeUndefined();
});

test('what the control topic serves and the definition has not is refused at the start', async () => {
  await serve(3);
  await expect(world.start().start(signal)).rejects.toThrow(
    'version 3 of the feature set of fraud is served, and the definition has 1, 2',
  );
});

test('what was cut is what counts, whatever the definition names first later', async () => {
  const first = world.start();
  await first.start(signal);
  await happen(10);
  await compute(1, 4);
  await answered(1, 4);
  await model2();
  await serve(2);
  await taken(2);
  await first.stop(5_000);
  const [second] = pipeline.beside;
  const later: Pipeline = { ...pipeline, features: second!, beside: [pipeline.features] };
  await happen(10);
  await compute(1);
  await compute(2);
  await world.control({ kind: 'model-alias', name: 'champion@1', value: { model: 'fraud', version: '1' } });
  await world.start({ pipelines: [{ ...later }] }).start(signal);
  const found = await world.scored(20);
  judge(found, 1);
  expect(found.filter(p => p.featureSet === 1)).toHaveLength(10);
});

test.each([1, 2, 3])('kills in the midst of switching to and fro change nothing (seed %i)', async seed => {
  const random = seededRandom(seed);
  await model2();
  const config = { commitIntervalMs: 5, sessionTimeoutMs: 200 };
  let client = broker.connect();
  await world.start({ broker: client, config, instance: 'first' }).start(signal);
  let serving: 1 | 2 = 1;
  for (let round = 0; round < 24; round++) {
    await happen(random.integer(0, 6));
    const [first, second] = random.chance(0.5) ? ([1, 2] as const) : ([2, 1] as const);
    await compute(first, random.integer(0, 12));
    await compute(second, random.integer(0, 12));
    if (random.chance(0.3)) await serve((serving = serving === 1 ? 2 : 1));
    if (random.chance(0.25)) {
      client.silence();
      client = broker.connect();
      await world.start({ broker: client, config, instance: `life-${round}` }).start(signal);
    }
    await systemClock.sleep(random.integer(0, 60));
  }
  await compute(1);
  await compute(2);
  const found = await world.scored(events.length);
  await systemClock.sleep(100);
  judge(await world.predictions(), Infinity);
  expect(versionsOf(found).size).toBe(2);
});
