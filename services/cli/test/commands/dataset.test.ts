import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import type { Pipeline } from '@millrace/define';
import { fraud, FRAUD_SIMULATION, simulateFraud } from '@millrace/pipelines';
import { type DatasetManifest, type DatasetOptions, exportDataset } from '../../src/commands/dataset.ts';
import { openPublisher } from '../../src/publish/publisher.ts';
import type { World } from '../../src/world/prepare.ts';
import { openWorld, published } from '../dataset/world.ts';
import { fakeIo } from '../fakeIo.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-dataset-'));
afterAll(() => rmSync(folder, { recursive: true }));

const simulated = [...simulateFraud({ ...FRAUD_SIMULATION, customers: 20, terminals: 8, days: 12 })];
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
const payments = simulated.filter(({ stream }) => stream === 'transactions');
const times = payments.flatMap(({ value }) => ('txAt' in value ? [value.txAt] : []));
const [FROM, TO] = [dayOf(times[0]!), dayOf(times.at(-1)!)];

const manifestOf = async (world: World, name: string, options: Partial<DatasetOptions> = {}, pipeline: Pipeline = fraud): Promise<DatasetManifest> => {
  const out = join(folder, `${name}.parquet`);
  const all: DatasetOptions = { from: FROM, to: TO, asOf: '2026-06-01', source: 'served', out, like: undefined, set: undefined, output: 'json', ...options };
  expect(await exportDataset(fakeIo(), world, pipeline, all)).toBe(0);
  return JSON.parse(readFileSync(`${out}.manifest.json`, 'utf8')) as DatasetManifest;
}; // prettier-ignore

test('what was served and what is folded again are the same bytes, every payment once with its label', async () => {
  const world = await openWorld(simulated.map(published));
  const served = await manifestOf(world, 'served');
  const recomputed = await manifestOf(world, 'recomputed', { source: 'recomputed' });
  expect(served.rows).toBe(payments.length);
  expect(served.labelled).toBeGreaterThan(0);
  expect(recomputed.sha256).toBe(served.sha256);
});

test('a label counts from when it was known', async () => {
  const world = await openWorld(simulated.map(published));
  const labels = simulated.flatMap(({ stream, value }) => (stream === 'labels' ? [value] : []));
  const asOf = labels[Math.floor(labels.length / 2)]!;
  const known = labels.filter(label => label.knownAt <= asOf.knownAt);
  const manifest = await manifestOf(world, 'half', { asOf: new Date(asOf.knownAt).toISOString() });
  expect(manifest.labelled).toBe(known.length);
});

test('the same manifest gives the same bytes, whatever has come since; without it the new is in', async () => {
  const world = await openWorld(simulated.map(published));
  const first = await manifestOf(world, 'first', { source: 'recomputed' });
  const publisher = await openPublisher(world, fraud);
  const late = { ...published(payments[0]!).value, eventId: 'late', sequence: 10_000_000 };
  await publisher.publish([{ stream: 'transactions', value: late }]);
  await publisher.close();
  const like = join(folder, 'first.parquet.manifest.json');
  expect((await manifestOf(world, 'again', { like })).sha256).toBe(first.sha256);
  const fresh = await manifestOf(world, 'fresh', { source: 'recomputed' });
  expect(fresh.rows).toBe(first.rows + 1);
  expect(fresh.sha256).not.toBe(first.sha256);
});

test('rows are of the version of the set that is asked for, where several have answered', async () => {
  const [calendar, spending] = fraud.features.views;
  const next = { ...fraud.features, version: 2, views: [calendar!, spending!] };
  const both: Pipeline = { ...fraud, beside: [next] };
  const world = await openWorld(simulated.map(published), both, [1, 2]);
  const served = await manifestOf(world, 'served-2', { set: 2 }, both);
  const recomputed = await manifestOf(world, 'recomputed-2', { set: 2, source: 'recomputed' }, both);
  expect([served.featureSet, served.rows, served.unusable]).toEqual([2, payments.length, 0]);
  expect([served.columns.includes('customerTxCount7d'), served.columns.includes('terminalRisk7d')]).toEqual([true, false]);
  expect(recomputed.sha256).toBe(served.sha256);
  const first = await manifestOf(world, 'served-1', {}, both);
  expect([first.featureSet, first.rows, first.unusable, first.columns.includes('terminalRisk7d')]).toEqual([1, payments.length, 0, true]);
  // A manifest names its version itself.
  const again = await manifestOf(world, 'again-2', { like: join(folder, 'served-2.parquet.manifest.json') }, both);
  expect(again.sha256).toBe(served.sha256);
  await expect(manifestOf(world, 'none', { set: 3 }, both)).rejects.toThrow('has no version 3 of its feature set');
}); // prettier-ignore
