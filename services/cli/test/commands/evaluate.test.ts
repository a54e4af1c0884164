import { expect, test } from '@jest/globals';
import { memoryRegistry, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { featureNames } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { evaluate, type EvaluateOptions } from '../../src/commands/evaluate.ts';
import { UsageError } from '../../src/io.ts';
import { openPublisher } from '../../src/publish/publisher.ts';
import { prepare, type World } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

const OPTIONS: EvaluateOptions = {
  from: undefined, to: undefined, asOf: undefined, by: 'model', top: 1, leaveOutKnownSince: undefined, output: 'json',
}; // prettier-ignore
const DAY = Date.parse('2026-03-01T00:00:00Z');
const DAY_MS = 86_400_000;

const openWorld = async (): Promise<World> => {
  const clock = turnedClock(DAY);
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [fraud], () => '1');
  return world;
};

const predict = async (world: World, predictions: readonly Partial<PredictionValue>[]): Promise<void> => {
  const topic = topicsOf(fraud).predictions;
  const codec = await openCodec<PredictionValue>(
    world.registry,
    catalogue([fraud]).find(t => t.name === topic)!.value!,
  );
  const features = Object.fromEntries(featureNames(fraud.features).map(name => [name, 1]));
  const common: PredictionValue = {
    predictionId: 'p', eventId: 'e', revision: 0, sequence: 0, entity: 'c', eventTime: DAY, appendTime: DAY, scoredAt: DAY,
    outputs: { score: 0 }, decision: 'approve', kpis: { expectedLoss: 0 }, model: 'fraud', modelVersion: '1', modelDigest: 'd',
    featureSet: 1, featureSetHash: 'h', controlRevision: 1, route: 'stream', routeVersion: 1, review: false, engine: 'cpu', arm: 'champion', role: 'answer',
    fallback: null, late: false, stale: false, sourceTopic: 't', sourcePartition: 0, sourceOffset: 0, vectorOffset: 0, inputHash: 'i',
    batchId: 'b', runId: 'live', seq: 0, final: true, supersedes: null, traceparent: null, features,
  }; // prettier-ignore
  const producer = await world.broker.producer();
  await producer.send(
    predictions.map(p => ({ topic, partition: 0, key: null, value: codec.encode({ ...common, ...p }) })),
  );
  await producer.close();
};

const label = async (world: World, labels: readonly Readonly<Record<string, unknown>>[]): Promise<void> => {
  const publisher = await openPublisher(world, fraud);
  const common = { revision: 0, withdrawn: false, sequence: 0, customerId: 'c', terminalId: 't', txAt: DAY, knownAt: DAY + DAY_MS, lineage: null }; // prettier-ignore
  await publisher.publish(labels.map(value => ({ stream: 'labels', value: { ...common, ...value } })));
  await publisher.close();
};

const figures = async (world: World, options: Partial<EvaluateOptions> = {}) => {
  const io = fakeIo();
  expect(await evaluate(io, world, fraud, { ...OPTIONS, ...options })).toBe(0);
  return JSON.parse(io.data[0]!) as {
    unusable: number;
    groups: (Record<string, number | null> & { group: object })[];
  };
};

test('predictions are joined with the newest label of their event, and judged by model', async () => {
  const world = await openWorld();
  await predict(world, [
    { eventId: 'a', outputs: { score: 0.1 } },
    { eventId: 'b', outputs: { score: 0.4 } },
    { eventId: 'c', outputs: { score: 0.35 } },
    { eventId: 'd', outputs: { score: 0.5 } },
    // Scored again as a correction: this one counts.
    { eventId: 'd', revision: 1, outputs: { score: 0.8 } },
    { eventId: 'no label', outputs: { score: 0.9 } },
    { eventId: 'a', role: 'shadow:r1', outputs: { score: 1 } },
    { eventId: 'd', modelVersion: '2', outputs: { score: 0 } },
    { eventId: 'a', outputs: { score: Number.NaN }, model: 'broken' },
  ]);
  await label(world, [
    { eventId: 'a', isFraud: true },
    { eventId: 'a', revision: 1, isFraud: false },
    { eventId: 'b', isFraud: false },
    { eventId: 'c', isFraud: true },
    { eventId: 'd', isFraud: true },
  ]);
  const { groups, unusable } = await figures(world);
  expect(unusable).toBe(1);
  expect(groups.map(({ group }) => group)).toEqual([{ model: 'fraud@1' }, { model: 'fraud@2' }]);
  // The example of scikit-learn's manual; a revision and a shadow would change it.
  expect(groups[0]).toMatchObject({ rows: 4, positives: 2, unlabelled: 1, auc: 0.75, precisionAtK: 1 });
  expect(groups[0]!['averagePrecision']).toBeCloseTo(0.8333333, 6);
  expect(groups[1]).toMatchObject({ rows: 1, positives: 1, auc: null });
});

test('days, the time as of which labels are known, and withdrawn labels', async () => {
  const world = await openWorld();
  await predict(world, [
    { eventId: 'a', eventTime: DAY - 1 },
    { eventId: 'b', eventTime: DAY },
    { eventId: 'c', eventTime: DAY + DAY_MS - 1 },
    { eventId: 'd', eventTime: DAY + DAY_MS },
  ]);
  await label(world, [
    { eventId: 'b', isFraud: true, knownAt: DAY + 2 * DAY_MS },
    { eventId: 'c', isFraud: true },
    { eventId: 'c', isFraud: true, revision: 1, withdrawn: true, knownAt: DAY + 3 * DAY_MS },
  ]);
  const day = { from: '2026-03-01', to: '2026-03-01' };
  expect((await figures(world, day)).groups).toMatchObject([{ rows: 1, positives: 1, unlabelled: 1 }]);
  expect((await figures(world, { ...day, asOf: '2026-03-02' })).groups).toMatchObject([
    { rows: 1, positives: 1, unlabelled: 1 },
  ]);
  expect((await figures(world, { ...day, asOf: '2026-03-01T12:00:00Z' })).groups).toMatchObject([
    { rows: 0, unlabelled: 2 },
  ]);
});

test('an entity is left out from the day after its case became known, and once found it is not found again', async () => {
  const world = await openWorld();
  const on = (day: number, eventId: string, entity: string, score: number) => ({ eventId, entity, eventTime: DAY + day * DAY_MS, outputs: { score } }); // prettier-ignore
  await predict(world, [
    on(0, 'a0', 'a', 0.9),
    on(0, 'b0', 'b', 0.5),
    on(1, 'a1', 'a', 0.9),
    on(1, 'b1', 'b', 0.5),
  ]);
  const of = (eventId: string, customerId: string, day: number, isFraud: boolean) => ({ eventId, customerId, txAt: DAY + day * DAY_MS, isFraud, knownAt: DAY + 10 * DAY_MS }); // prettier-ignore
  await label(world, [of('a0', 'a', 0, true), of('b0', 'b', 0, false), of('a1', 'a', 1, true), of('b1', 'b', 1, true)]); // prettier-ignore
  // Day 0 finds a; on day 1 it is left out, so b is looked at, and found.
  expect((await figures(world)).groups).toMatchObject([
    { rows: 4, leftOut: 0, entityPrecisionAtK: 1, days: 2 },
  ]);
  // An earlier case of b, never scored, that was known on day 0, but not before it.
  await label(world, [{ ...of('earlier', 'b', -3, true), knownAt: DAY + 1 }]);
  expect((await figures(world, { leaveOutKnownSince: '2026-02-20' })).groups).toMatchObject([
    { rows: 3, leftOut: 1, entityPrecisionAtK: 0.5 },
  ]);
  expect((await figures(world, { leaveOutKnownSince: '2026-03-01' })).groups).toMatchObject([{ leftOut: 0 }]);
});

test('a wrong option says what there is', async () => {
  const world = await openWorld();
  await expect(evaluate(fakeIo(), world, fraud, { ...OPTIONS, by: 'colour' })).rejects.toThrow(UsageError);
  await expect(evaluate(fakeIo(), world, fraud, { ...OPTIONS, from: 'soon' })).rejects.toThrow("'soon' is no time"); // prettier-ignore
});
