import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { commitOf } from '../src/commit.ts';

let folder: string;
const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-commit-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the commit is told, with a plus where files differ from it or came to it', () => {
  git('init', '--quiet');
  writeFileSync(join(folder, 'a'), '1');
  git('add', 'a');
  git('commit', '--quiet', '--message', 'a');
  const commit = git('rev-parse', '--short', 'HEAD');
  expect(commitOf(folder)).toBe(commit);
  writeFileSync(join(folder, 'b'), '1');
  expect(commitOf(folder)).toBe(`${commit}+`);
  rmSync(join(folder, 'b'));
  writeFileSync(join(folder, 'a'), '2');
  expect(commitOf(folder)).toBe(`${commit}+`);
});

test('without a repository there is none', () => {
  expect(commitOf(folder)).toBeUndefined();
});
