import { describe, expect, test } from '@jest/globals';
import { memoryRegistry } from '@millrace/avro';
import { count, hashView, type Pipeline } from '@millrace/define';
import { fraud } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import {
  deprecateFeature, diffFeatures, listFeatures, publishFeatures, type PublishFlags,
} from '../../src/commands/features.ts'; // prettier-ignore
import { showFeature } from '../../src/commands/showFeature.ts';
import { UsageError } from '../../src/io.ts';
import { prepare, type World } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

const FLAGS: PublishFlags = { execute: true, by: 'ada', why: 'because', output: 'json' };

const openWorld = async (): Promise<World> => {
  const clock = turnedClock(Date.UTC(2026, 0, 5));
  const world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [fraud], () => '1');
  return world;
};
const [calendar, spending, risk] = fraud.features.views;
/** Another window under the version that is published. */
const changed: Pipeline = {
  ...fraud,
  features: {
    ...fraud.features,
    views: [
      calendar!,
      { ...spending!, features: { ...spending!.features, customerTxCount1d: count({ of: 'transactions', window: '2d' }) } },
      risk!,
    ],
  },
}; // prettier-ignore
const withVersion = (version: number): Pipeline => ({
  ...changed,
  features: { ...changed.features, version, views: changed.features.views.map(v => (v.name === spending!.name ? { ...v, version } : v)) },
}); // prettier-ignore

const states = async (world: World, pipelines: readonly Pipeline[]): Promise<readonly string[]> => {
  const io = fakeIo();
  await listFeatures(io, world, pipelines, { output: 'json' });
  const lines = JSON.parse(io.data[0]!) as { kind: string; name: string; version: number; state: string }[];
  return lines.map(({ kind, name, version, state }) => `${kind} ${name}@${version} ${state}`);
};

test('what begins is published: every view and the set', async () => {
  expect(await states(await openWorld(), [fraud])).toEqual([
    'view calendar@1 published',
    'view customer-spending@1 published',
    'view terminal-risk@1 published',
    'set fraud@1 published',
  ]);
});

test('a change under a published version is refused with its places, under a new one it is published', async () => {
  const world = await openWorld();
  const io = fakeIo();
  expect(await publishFeatures(io, world, [changed], FLAGS)).toBe(1);
  expect(io.said.join('\n')).toContain('features.customerTxCount1d.aggregate.window: "1d" -> "2d"');
  const diff = fakeIo();
  expect(await diffFeatures(diff, world, [changed], { output: 'table' })).toBe(3);
  expect(diff.data).toContain('view customer-spending@1: changed');

  const plan = fakeIo();
  expect(await publishFeatures(plan, world, [withVersion(2)], { ...FLAGS, execute: false })).toBe(0);
  expect(JSON.parse(plan.data[0]!)).toEqual(['fraud/view/customer-spending/v2', 'fraud/set/fraud/v2']);
  expect(await diffFeatures(fakeIo(), world, [withVersion(2)], { output: 'json' })).toBe(3);
  expect(await publishFeatures(fakeIo(), world, [withVersion(2)], FLAGS)).toBe(0);
  expect(await diffFeatures(fakeIo(), world, [withVersion(2)], { output: 'json' })).toBe(0);
  expect(await states(world, [withVersion(2)])).toContain('view customer-spending@1 not here');
});

test('what is deprecated says so, with who and why, and needs a reason', async () => {
  const world = await openWorld();
  await expect(deprecateFeature(fakeIo(), world, 'calendar@1', { ...FLAGS, why: '' })).rejects.toThrow(UsageError); // prettier-ignore
  await expect(deprecateFeature(fakeIo(), world, 'calendar@9', FLAGS)).rejects.toThrow("'calendar@9' is not published"); // prettier-ignore
  expect(await deprecateFeature(fakeIo(), world, 'calendar@1', FLAGS)).toBe(0);
  expect(await states(world, [fraud])).toContain('view calendar@1 deprecated');
});

describe('a view', () => {
  const both: Pipeline = { ...fraud, beside: [withVersion(2).features] };

  test('is shown with its features in words and where they come from, without a broker too', async () => {
    const io = fakeIo();
    expect(await showFeature(io, undefined, [fraud], 'terminal-risk', 'table')).toBe(0);
    expect(io.data.join('\n')).toMatch(/terminalRisk7d +share over labels, window 7d, delay 7d, where isFraud.*labels\.isFraud/);
    expect(io.data.join('\n')).not.toMatch(/published/i);
    await expect(showFeature(io, undefined, [fraud], 'weather', 'table')).rejects.toThrow("there is no view 'weather'; there are calendar");
  });

  test('is shown in each version, with its hash, its sets, and who published it when', async () => {
    const world = await openWorld();
    const io = fakeIo();
    await showFeature(io, world, [both], 'customer-spending', 'json');
    expect(JSON.parse(io.data[0]!)).toMatchObject([
      { version: 1, sets: [1], hash: hashView(spending!), state: 'published', published: { at: Date.UTC(2026, 0, 5) } },
      { version: 2, sets: [2], state: 'new', published: null },
    ]);
    expect(await publishFeatures(fakeIo(), world, [both], FLAGS)).toBe(0);
    await showFeature(io, world, [both], 'customer-spending', 'table');
    expect(io.data.join('\n')).toContain(`In version 2 of the set; hash ${hashView(both.beside[0]!.views[1]!).slice(0, 12)}.\nPublished as it is here, 2026-01-05T00:00:00.000Z, by ada: because`);
    await showFeature(io, world, [both], 'calendar', 'table');
    expect(io.data.join('\n')).toContain('In version 1, 2 of the set');
    // What is published and not defined here any more is told too.
    const later = fakeIo();
    await showFeature(later, world, [fraud], 'customer-spending', 'table');
    expect(later.data.at(-1)).toContain('customer-spending@2 of fraud is not defined here any more');
  });
}); // prettier-ignore
