import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { cacheFolder, isReachableByOthers, preparedOnce } from '../../src/cache/folder.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-cache-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('the cache follows the environment and the lock', () => {
  const here = cacheFolder({ XDG_CACHE_HOME: '/cache' });
  expect(here).toMatch(/^\/cache\/millrace\/[0-9a-f]{12}$/);
  expect(cacheFolder({ HOME: '/home/me' })).toMatch(/^\/home\/me\/\.cache\/millrace\//);
  expect(cacheFolder({ XDG_CACHE_HOME: '/cache' }, { another: 'lock' })).not.toBe(here);
});

test('a folder is filled once', async () => {
  const target = join(folder, 'prepared');
  await preparedOnce(target, into => writeFile(join(into, 'content'), 'first'));
  await preparedOnce(target, into => writeFile(join(into, 'content'), 'second'));
  expect(await readFile(join(target, 'content'), 'utf8')).toBe('first');
});

test('what could not be filled leaves nothing behind', async () => {
  const target = join(folder, 'prepared');
  await expect(preparedOnce(target, () => Promise.reject(new Error('no network')))).rejects.toThrow(
    'no network',
  );
  expect(await readdir(folder)).toEqual([]);
});

test('a closed folder above hides what lies under it', async () => {
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o700 });
  await chmod(folder, 0o755);
  expect(await isReachableByOthers(join(closed, 'not/there/yet'))).toBe(false);
  expect(await isReachableByOthers(join(folder, 'open'))).toBe(true);
});
