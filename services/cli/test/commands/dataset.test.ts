import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { memoryRegistry, openCodec } from '@millrace/avro';
import { catalogue, type PredictionValue, topicsOf } from '@millrace/contracts';
import { compareOrder, compileSet, foldInOrder, readEvent } from '@millrace/features';
import { fraud, FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { type DatasetManifest, type DatasetOptions, exportDataset } from '../../src/commands/dataset.ts';
import { openPublisher } from '../../src/publish/publisher.ts';
import { prepare, type World } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-dataset-'));
afterAll(() => rmSync(folder, { recursive: true }));

const simulated = [...simulateFraud({ ...FRAUD_SIMULATION, customers: 20, terminals: 8, days: 12 })];
const valueOf = ({ value }: SimulatedEvent) => ({ revision: 0, withdrawn: false, lineage: null, ...value });
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const payments = simulated.filter(({ stream }) => stream === 'transactions');
const times = payments.flatMap(({ value }) => ('txAt' in value ? [value.txAt] : []));
const [FROM, TO] = [dayOf(times[0]!), dayOf(times.at(-1)!)];

/** Events on their topics, and predictions with the vectors that a fold in order gives. */
const openWorld = async (): Promise<World> => {
  const clock = turnedClock(Date.UTC(2026, 5, 1));
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [fraud], () => '1');
  const publisher = await openPublisher(world, fraud);
  await publisher.publish(simulated.map(event => ({ stream: event.stream, value: valueOf(event) })));
  await publisher.close();
  const set = compileSet(fraud);
  const events = simulated.map((event, i) => readEvent(fraud, event.stream, valueOf(event), 0, i));
  const topic = topicsOf(fraud).predictions;
  const codec = await openCodec<PredictionValue>(world.registry, catalogue([fraud]).find(t => t.name === topic)!.value!);
  const producer = await world.broker.producer();
  for (const { event, values } of foldInOrder(set, events.sort(compareOrder))) {
    const value: PredictionValue = {
      predictionId: event.eventId, eventId: event.eventId, revision: 0, sequence: event.sequence, entity: String(event.fields['customerId']),
      eventTime: event.time, appendTime: 0, scoredAt: 0, outputs: { score: 0.5 }, decision: 'approve', kpis: { expectedLoss: 0 }, model: 'fraud',
      modelVersion: '1', modelDigest: 'd', featureSet: 1, featureSetHash: set.hash, controlRevision: 1, route: 'stream', routeVersion: 1, review: false, engine: 'cpu',
      arm: 'champion', role: 'answer', fallback: null, late: false, stale: false, sourceTopic: 't', sourcePartition: 0, sourceOffset: 0,
      vectorOffset: 0, inputHash: 'i', batchId: 'b', runId: 'live', seq: 0, final: true, supersedes: null, traceparent: null,
      features: Object.fromEntries(set.names.map((name, i) => [name, values[i]!])),
    };
    await producer.send([{ topic, partition: event.sequence % 6, key: null, value: codec.encode(value) }]);
  }
  await producer.close();
  return world;
}; // prettier-ignore

const manifestOf = async (world: World, name: string, options: Partial<DatasetOptions> = {}, code = 0): Promise<DatasetManifest> => {
  const out = join(folder, `${name}.parquet`);
  const all: DatasetOptions = { from: FROM, to: TO, asOf: '2026-06-01', source: 'served', out, like: undefined, output: 'json', ...options };
  expect(await exportDataset(fakeIo(), world, fraud, all)).toBe(code);
  return JSON.parse(readFileSync(`${out}.manifest.json`, 'utf8')) as DatasetManifest;
}; // prettier-ignore

test('what was served and what is folded again are the same bytes, every payment once with its label', async () => {
  const world = await openWorld();
  const served = await manifestOf(world, 'served');
  const recomputed = await manifestOf(world, 'recomputed', { source: 'recomputed' });
  expect(served.rows).toBe(payments.length);
  expect(served.labelled).toBeGreaterThan(0);
  expect(recomputed.sha256).toBe(served.sha256);
});

test('a label counts from when it was known', async () => {
  const world = await openWorld();
  const labels = simulated.flatMap(({ stream, value }) => (stream === 'labels' ? [value] : []));
  const asOf = labels[Math.floor(labels.length / 2)]!;
  const known = labels.filter(label => label.knownAt <= asOf.knownAt);
  const manifest = await manifestOf(world, 'half', { asOf: new Date(asOf.knownAt).toISOString() });
  expect(manifest.labelled).toBe(known.length);
});

test('the same manifest gives the same bytes, whatever has come since; without it the new is in', async () => {
  const world = await openWorld();
  const first = await manifestOf(world, 'first', { source: 'recomputed' });
  const publisher = await openPublisher(world, fraud);
  const late = { ...valueOf(payments[0]!), eventId: 'late', sequence: 10_000_000 };
  await publisher.publish([{ stream: 'transactions', value: late }]);
  await publisher.close();
  const like = join(folder, 'first.parquet.manifest.json');
  expect((await manifestOf(world, 'again', { like })).sha256).toBe(first.sha256);
  const fresh = await manifestOf(world, 'fresh', { source: 'recomputed' });
  expect(fresh.rows).toBe(first.rows + 1);
  expect(fresh.sha256).not.toBe(first.sha256);
});
