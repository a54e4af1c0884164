import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { mutantOf } from '../mutants/mutants.ts';
import { readOptions } from './options.ts';
import { planOf } from './plan.ts';
import { PROTECTIONS } from './protections.ts';
import { SCENARIOS } from './scenarios/all.ts';

const planned = (...argv: readonly string[]): readonly string[] =>
  planOf(readOptions(argv)).map(({ scenario, brokers, without }) =>
    [scenario.name, brokers, without?.name].filter(part => part !== undefined).join(' '),
  );

test('scenarios run by name or number, on each kind of cluster that they are meant for', () => {
  expect(planned('--scenario', 'broker-kill')).toEqual(['broker-kill 1', 'broker-kill 3']);
  expect(planned('--scenario', '11,1', '--brokers', '3')).toEqual(['coordinator-moves 3', 'kill-services 3']);
  expect(planned('--minutes', '3')).toEqual(['random 1']);
  expect(planned('--minutes', '3', '--brokers', '3')).toEqual(['random 3']);
  expect(planned().length).toBe(SCENARIOS.reduce((sum, { brokers }) => sum + brokers.length, 0));
  expect(() => planned('--scenario', '99')).toThrow(
    "there is no scenario '99'; there are: 1 (kill-services)",
  );
  expect(() => planned('--scenario', 'coordinator-moves', '--brokers', '1')).toThrow(
    'no scenario of coordinator-moves is meant for 1 brokers',
  );
});

test('a protection is taken out in the scenario that shows it, or in another that is named', () => {
  expect(planned('--without', 'p1')).toEqual(['interleaved-aborts 1 p1']);
  expect(planned('--without', 'p1', '--scenario', '1', '--brokers', '1')).toEqual(['kill-services 1 p1']);
  expect(planned('--reds').length).toBe(PROTECTIONS.length);
  expect(() => planned('--without', 'luck')).toThrow("no protection 'luck'; there are: heartbeat");
});

test('what scenarios and protections name is there', () => {
  const named = [
    ...SCENARIOS.flatMap(({ rig }) => rig?.mutants ?? []),
    ...PROTECTIONS.flatMap(one => one.mutants),
  ];
  for (const name of named) expect(mutantOf(name).name).toBe(name);
  expect(new Set(SCENARIOS.map(({ name }) => name)).size).toBe(SCENARIOS.length);
});

test('the manual tells of each protection, by the scenario that shows it', () => {
  const manual = readFileSync(join(import.meta.dirname, '../../docs/FAULTS.md'), 'utf8');
  const section = manual.split('## Without a protection')[1]!.split('\n## ')[0]!;
  const rows = [...section.matchAll(/^\| `([\w-]+)`[^|]*\|[^|]+\| `([\w-]+)`/gm)];
  const told = rows.map(([, name, scenario]) => `${name} in ${scenario}`);
  expect(told.toSorted()).toEqual(PROTECTIONS.map(of => `${of.name} in ${of.scenario}`).toSorted());
});
