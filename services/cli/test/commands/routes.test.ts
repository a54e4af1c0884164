import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { memoryRegistry } from '@millrace/avro';
import { field, ge, threshold } from '@millrace/define';
import { credit, EXAMPLES_FOLDER, fraud } from '@millrace/pipelines';
import { memoryBroker } from '@millrace/stream';
import { turnedClock } from '@millrace/telemetry';
import { type RoutesFlags, setRoutes, showRoutes } from '../../src/commands/routes.ts';
import { UsageError } from '../../src/io.ts';
import { readControl } from '../../src/world/control.ts';
import { prepare, type World } from '../../src/world/prepare.ts';
import { fakeIo } from '../fakeIo.ts';

let world: World;
let folder: string;
beforeEach(async () => {
  const clock = turnedClock(Date.UTC(2026, 0, 5));
  world = { broker: memoryBroker({ clock }), registry: memoryRegistry(), clock };
  await prepare(world, [fraud], () => '1');
  folder = mkdtempSync(join(tmpdir(), 'millrace-routes-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const RULES = [
  { name: 'large', to: 'stream', engine: 'gpu', when: ge(field('amount'), threshold('block')) },
  { name: 'others', to: 'night' },
] as const;
const flags = (rules: unknown, more: Partial<RoutesFlags> = {}): RoutesFlags => {
  const file = join(folder, 'rules.json');
  writeFileSync(file, typeof rules === 'string' ? rules : JSON.stringify(rules));
  return { file, by: 'ada', why: 'a quiet day', execute: true, output: 'json', ...more };
};

test('rules are shown, planned, put in force under the next version, and taken back to those of the definition', async () => {
  const io = fakeIo();
  await showRoutes(io, world, fraud, { output: 'table' });
  expect(io.said).toEqual(['Version 1 of the rules of fraud; the first that holds decides.']);
  expect(io.data.at(-1)).toMatch(/^1 +default +stream +always$/);
  expect(await setRoutes(io, world, fraud, flags(RULES, { execute: false, output: 'table' }))).toBe(0);
  expect(io.data.slice(-2).map(line => line.trim().split(/ {2,}/))).toEqual([
    ['1', 'large', 'stream', 'gpu', 'ge(amount, threshold(block))'],
    ['2', 'others', 'night', 'always'],
  ]);
  expect((await readControl(world)).revision).toBe(1);
  expect(await setRoutes(io, world, fraud, flags(RULES))).toBe(0);
  expect(JSON.parse(io.data.at(-1)!)).toEqual({ pipeline: 'fraud', version: 2, revision: 2, rules: RULES });
  await setRoutes(io, world, fraud, flags(RULES));
  expect(io.said.at(-1)).toBe('Version 2 has these rules already.');
  await setRoutes(io, world, fraud, flags(RULES, { file: undefined }));
  await showRoutes(io, world, fraud, { output: 'json' });
  expect(JSON.parse(io.data.at(-1)!)).toEqual({ pipeline: 'fraud', version: 3, rules: [] });
});

test('the rules that ship beside the example can stand, and say which answers somebody looks at', async () => {
  const io = fakeIo();
  const file = join(EXAMPLES_FOLDER, 'taiwan/quiet-day.json');
  await prepare(world, [credit], () => '1');
  expect(await setRoutes(io, world, credit, { ...flags([]), file, output: 'table' })).toBe(0);
  expect(io.data.map(line => line.trim().split(/ {2,}/)).slice(-3)).toEqual([
    ['1', 'large-exposure', 'stream', 'yes', 'ge(billAmount1, threshold(reviewExposure))'],
    ['2', 'private', 'stream', 'eq(feature(tier), 3)'],
    ['3', 'rest', 'night', 'always'],
  ]);
  expect((await readControl(world)).find('credit', 'routes', 'default')).toMatchObject({ version: 2 });
});

test('rules that cannot stand are refused with every mistake, and nothing is written', async () => {
  const refused = async (rules: unknown): Promise<string> => {
    const error: unknown = await setRoutes(fakeIo(), world, fraud, flags(rules)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(UsageError);
    return (error as UsageError).message;
  };
  expect(
    await refused([{ name: 'Large', to: 'stream', when: ge(field('weather'), threshold('none')) }]),
  ).toMatch(
    /- routes\.Large: the name is not lower case.*\n.*field\('weather'\) is unknown; there are .*amount.*\n.*threshold\('none'\) is unknown.*\n.*the last rule has no condition/,
  );
  expect(await refused([{ name: 'a', to: 'stream', lane: 'gpu' }])).toContain(
    "routes.a: a rule can say nothing about 'lane'",
  );
  expect(await refused([{ name: 'a', to: 'stream', engine: 'tpu' }])).toContain(
    "routes.a: engine 'tpu' is unknown; there are cpu, gpu",
  );
  expect(await refused([{ name: 'a', to: 'stream', review: 'yes' }])).toContain('is no list of rules');
  expect(await refused([{ name: 'a', to: 'moon' }])).toContain('is no list of rules');
  expect(await refused([{ name: 'a', to: 'night', when: { op: 'shell', of: 1 } }])).toContain(
    'is no list of rules',
  );
  let deep: object = field('amount');
  for (let i = 0; i < 100; i++) deep = { op: 'not', of: deep };
  expect(await refused([{ name: 'a', to: 'night', when: deep }])).toContain('is no list of rules');
  expect(await refused('not JSON')).toContain('cannot be read as JSON');
  expect((await readControl(world)).revision).toBe(1);
});
