import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { type Mutant, mutated, mutatedFile } from './mutant.ts';
import { mutantOf, MUTANTS } from './mutants.ts';

const REGISTER = join(import.meta.dirname, 'register.ts');
const TRACKER = join(import.meta.dirname, '../../packages/stream/src/processor/offsets.ts');
/** One record open, one closed behind it: the watermark says what would be committed. */
const PROGRAM = `
  const { OffsetTracker } = await import(${JSON.stringify(TRACKER)});
  const tracker = new OffsetTracker(5);
  const segment = tracker.add(2, i => 5 + i, 7);
  tracker.close(segment, 1, 1);
  console.log(tracker.watermark);
`;
const run = (environment: Readonly<Record<string, string>>, ...options: readonly string[]): string =>
  execFileSync(process.execPath, [...options, '--input-type=module', '--eval', PROGRAM], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();

describe('mutants', () => {
  test.each(MUTANTS.map(mutant => [mutant.name, mutant] as const))('%s fits the code', (_, mutant) => {
    expect(mutatedFile(mutant)).toContain(mutant.instead);
  });

  test('have names of their own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
    expect(() => mutantOf('nobody')).toThrow('no mutant nobody; there are no-watchdog');
  });

  test('are refused where their text is not there, or twice', () => {
    const mutant: Mutant = { name: 'm', shows: '', file: 'f.ts', text: 'a$b', instead: '$&' };
    expect(mutated(mutant, 'x a$b y')).toBe('x $& y');
    expect(() => mutated(mutant, 'nothing')).toThrow('mutant m: its text stands 0 times in f.ts');
    expect(() => mutated(mutant, 'a$b a$b')).toThrow('stands 2 times');
  });
});

describe('a process', () => {
  test('runs the changed source, and without the mutant the source as it is', () => {
    expect(run({})).toBe('5');
    expect(run({ MILLRACE_MUTANT: 'commits-the-position' }, '--import', REGISTER)).toBe('7');
    const two = 'inference-at-least-once,commits-the-position';
    expect(run({ MILLRACE_MUTANT: two }, '--import', REGISTER)).toBe('7');
  });

  test('does not start with a mutant that nobody knows', () => {
    expect(() => run({ MILLRACE_MUTANT: 'nobody' }, '--import', REGISTER)).toThrow('no mutant nobody');
  });
});
