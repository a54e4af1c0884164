import { expect, test } from '@jest/globals';
import { memoryRegistry, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { featureNames } from '@millrace/define';
import { credit } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { evaluate, type Evaluated, type EvaluateOptions } from '../../src/commands/evaluate.ts';
import { GROUPS_MAX } from '../../src/evaluate/groupings.ts';
import { openPublisher } from '../../src/publish/publisher.ts';
import { writeControl } from '../../src/world/control.ts';
import { prepare, type World } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

const DAY = Date.parse('2026-03-01T00:00:00Z');
const FEATURES = featureNames(credit.features);

const openWorld = async (): Promise<World> => {
  const clock = turnedClock(DAY);
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [credit], () => '1');
  return world;
};

/** What a client is, was scored, and turned out to be. */
interface Client {
  readonly id: string;
  readonly score: number;
  readonly defaulted: boolean;
  readonly features?: Readonly<Record<string, number>>;
  readonly source?: string;
}

const predict = async (world: World, clients: readonly Client[]): Promise<void> => {
  const topic = topicsOf(credit).predictions;
  const codec = await openCodec<PredictionValue>(
    world.registry,
    catalogue([credit]).find(({ name }) => name === topic)!.value!,
  );
  const zeros = Object.fromEntries(FEATURES.map(name => [name, 0]));
  const producer = await world.broker.producer();
  await producer.send(
    clients.map(({ id, score, features }) => {
      const value: PredictionValue = {
        predictionId: id, eventId: id, revision: 0, sequence: 0, entity: id, eventTime: DAY, appendTime: DAY, scoredAt: DAY, outputs: { score },
        decision: 'keep', kpis: { exposure: 0, expectedLoss: 0, falseAlarmCost: 0, segment: 'mass' }, model: 'credit', modelVersion: '1', modelDigest: 'd', featureSet: 1,
        featureSetHash: 'h', controlRevision: 1, route: 'stream', routeVersion: 1, review: false, engine: 'cpu', arm: 'champion', role: 'answer', fallback: null, late: false,
        stale: false, sourceTopic: 't', sourcePartition: 0, sourceOffset: 0, vectorOffset: 0, inputHash: 'i', batchId: 'b', runId: 'live', seq: 0,
        final: true, supersedes: null, traceparent: null, features: { ...zeros, ...features },
      }; // prettier-ignore
      return { topic, partition: 0, key: null, value: codec.encode(value) };
    }),
  );
  await producer.close();
};

const publish = async (world: World, clients: readonly Client[]): Promise<void> => {
  const publisher = await openPublisher(world, credit);
  const lineageOf = (source: string) => ({ source, producer: '', ingestedAt: 0, traceparent: null });
  await publisher.publish(
    clients.flatMap(({ id, defaulted, features, source }) => {
      const common = { eventId: id, revision: 0, withdrawn: false, sequence: 0, recordedAt: DAY, clientId: id };
      const own = { ...Object.fromEntries(FEATURES.map(name => [name, 0])), ...features };
      return [
        ...(source === undefined ? [] : [{ stream: 'clients', value: { ...common, ...own, lineage: lineageOf(source) } }]),
        { stream: 'outcomes', value: { ...common, knownAt: DAY, defaulted, lineage: null } },
      ];
    }),
  ); // prettier-ignore
  await publisher.close();
};

const CLIENTS: readonly Client[] = [
  { id: 'a', score: 0.9, defaulted: true, features: { sex: 1, maritalStatus: 1 }, source: 'one' },
  { id: 'b', score: 0.6, defaulted: false, features: { sex: 1, maritalStatus: 2 }, source: 'one' },
  { id: 'c', score: 0.1, defaulted: false, features: { sex: 2, maritalStatus: 2 }, source: 'two' },
  { id: 'd', score: 0.5, defaulted: true, features: { sex: 2, maritalStatus: 9 } },
];

const run = async (world: World, options: Partial<EvaluateOptions>) => {
  const io = fakeIo();
  const all = { from: undefined, to: undefined, asOf: undefined, by: 'model', top: 1, leaveOutKnownSince: undefined, output: 'json', ...options } as const; // prettier-ignore
  expect(await evaluate(io, world, credit, all)).toBe(0);
  return io.data;
};
const groups = async (world: World, by: string): Promise<readonly Evaluated[]> =>
  (JSON.parse((await run(world, { by }))[0]!) as { groups: Evaluated[] }).groups;

const openFilled = async (): Promise<World> => {
  const world = await openWorld();
  await predict(world, CLIENTS);
  await publish(world, CLIENTS);
  return world;
};

test('figures are told apart by a feature, by its name where it has one, and by a field of the event', async () => {
  const world = await openFilled();
  const named = async (by: string) => (await groups(world, by)).map(({ group, rows }) => [group, rows]);
  expect(await named('sex')).toEqual([[{ sex: 'female' }, 2], [{ sex: 'male' }, 2]]); // prettier-ignore
  expect(await named('maritalStatus')).toEqual([
    [{ maritalStatus: '9' }, 1], [{ maritalStatus: 'married' }, 1], [{ maritalStatus: 'single' }, 2],
  ]); // prettier-ignore
  expect(await named('lineage.source,sex')).toEqual([
    [{ 'lineage.source': 'not kept', sex: 'female' }, 1], [{ 'lineage.source': 'one', sex: 'male' }, 2], [{ 'lineage.source': 'two', sex: 'female' }, 1],
  ]); // prettier-ignore
});

test('each threshold in force has its figures: those of the control topic, not those of the definition', async () => {
  const world = await openFilled();
  const [before] = await groups(world, 'model');
  expect(before!.thresholds.map(({ threshold, at }) => [threshold, at])).toEqual([['actPrivate', 0.7], ['act', 0.57], ['watch', 0.4]]); // prettier-ignore
  expect(before!.thresholds[1]).toMatchObject({ hits: 1, falseAlarms: 1, missed: 1, passed: 1, accuracy: 0.5, balancedAccuracy: 0.5 }); // prettier-ignore
  const about = { pipeline: 'credit', by: 'test', why: 'test' };
  await writeControl(world, about, [
    { kind: 'thresholds', name: 'default', value: { act: 0.8, watch: 0.4 } },
  ]);
  const [after] = await groups(world, 'model');
  expect(after!.thresholds[0]).toMatchObject({ at: 0.8, hits: 1, falseAlarms: 0, accuracy: 0.75 });
});

test('groups of people are compared at the threshold that decides about them', async () => {
  const world = await openFilled();
  const [{ fairness }] = (await groups(world, 'model')) as [Evaluated];
  // Accepted are c and d: no man, every woman. One man is good, one woman, c; one of each is bad.
  expect(fairness.filter(({ of }) => of === 'sex')).toEqual([
    { of: 'sex', group: 'female', rows: 2, accepted: 1, equalOpportunity: 1, falsePositiveRateBalance: 1, averageOdds: 1, demographicParity: 1, positivePredictiveParity: null },
    { of: 'sex', group: 'male', rows: 2, accepted: 0, equalOpportunity: -1, falsePositiveRateBalance: -1, averageOdds: -1, demographicParity: -1, positivePredictiveParity: null },
  ]); // prettier-ignore
  expect(fairness.filter(({ of }) => of === 'maritalStatus').map(({ group }) => group)).toEqual(['9', 'married', 'single']); // prettier-ignore
});

test('the table has a part for the scores, one for thresholds, and one for fairness', async () => {
  const lines = await run(await openFilled(), { by: 'run', output: 'table' });
  expect(lines.filter(line => line.startsWith('RUN')).map(line => line.split(/ {2,}/)[1])).toEqual(['ROWS', 'THRESHOLD', 'FAIRNESS BY']); // prettier-ignore
  expect(lines.filter(line => /^live +(act|actPrivate|watch) /.test(line))).toHaveLength(3);
  expect(lines.filter(line => /^live +(sex|maritalStatus) /.test(line))).toHaveLength(5);
});

test('a grouping that there is not says what there is, and one by entity is refused', async () => {
  const world = await openWorld();
  await expect(groups(world, 'colour')).rejects.toThrow("'colour' is unknown; there are model, arm");
  await expect(groups(world, 'lineage')).rejects.toThrow("'lineage' is unknown");
  const many = Array.from({ length: GROUPS_MAX + 1 }, (_, i) => ({ id: `c${i}`, score: 0.1, defaulted: false, features: { creditLimit: i } })); // prettier-ignore
  await predict(world, many);
  await expect(groups(world, 'creditLimit')).rejects.toThrow(`more than ${GROUPS_MAX} groups`);
});
