import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { lmdbStores } from '../../src/lmdb/store.ts';
import { markAt, storeContract } from '../state/contract.ts';
import { bytes, text } from '../processor/rig.ts';

const root = await mkdtemp(join(tmpdir(), 'millrace-state-'));
afterAll(() => rm(root, { recursive: true }));
let folders = 0;
let folder = '';
beforeEach(() => {
  folder = join(root, String(folders++));
});

storeContract('the store on disk', () => lmdbStores(join(root, `contract-${folders++}`))(0));

const open = () => lmdbStores(folder)(3);
const data = (): string => join(folder, '3', 'data.mdb');

/** A closed store of many pages. */
async function fill(): Promise<void> {
  const store = await open();
  await store.apply(
    Array.from({ length: 2_000 }, (_, i) => [`k${i}`, bytes('v'.repeat(100))] as const),
    markAt(42),
  );
  await store.close();
}

const overwrite = async (change: (content: Buffer) => void): Promise<void> => {
  const content = await readFile(data());
  change(content);
  await writeFile(data(), content);
};

describe('the store on disk', () => {
  test('is found again with what had a mark, without what had none', async () => {
    const before = await open();
    await before.apply([['a', bytes('1')]]);
    await before.apply([['b', bytes('2')]], markAt(5));
    await before.apply([['c', bytes('3')]]);
    await before.close();
    const store = await open();
    expect([...store.entries()].map(([key, value]) => [key, text(value)])).toEqual([
      ['a', '1'],
      ['b', '2'],
    ]);
    expect([store.size, store.mark]).toEqual([2, markAt(5)]);
    await store.close();
  });

  test('is nobody else’s while it is open, and free again afterwards', async () => {
    const first = await open();
    await expect(open()).rejects.toThrow('in use by another process');
    await first.apply([['a', bytes('1')]], markAt(1));
    await first.close();
    const second = await open();
    expect(text(second.get('a'))).toBe('1');
    await second.close();
  });

  test.each([
    ['torn', async () => truncate(data(), Math.floor((await stat(data())).size / 2))],
    ['torn within its first page', () => truncate(data(), 1_000)],
    ['emptied', () => truncate(data(), 0)],
    ['of another kind', () => writeFile(data(), Buffer.alloc(100_000, 7))],
    ['full of noise', async () => overwrite(content => content.fill(0x5a, 8_192))],
    ['deleted', () => rm(data())],
  ])('one that is %s begins empty', async (_, harm) => {
    await fill();
    await harm();
    const store = await open();
    expect([store.size, store.mark, [...store.entries()]]).toEqual([0, undefined, []]);
    await store.apply([['a', bytes('1')]], markAt(1));
    await store.close();
    const again = await open();
    expect([again.size, again.mark]).toEqual([1, markAt(1)]);
    await again.close();
  });

  test('one changed bit is noticed; nothing is applied any more until it is cleared', async () => {
    await fill();
    await overwrite(content => {
      const value = 'v'.repeat(100);
      for (let at = content.indexOf(value); at >= 0; at = content.indexOf(value, at + 100))
        content[at + 50] = 0x77;
    });
    const store = await open();
    expect(store.mark).toEqual(markAt(42));
    expect(() => store.get('k7')).toThrow('damaged');
    expect(store.mark).toBeUndefined();
    await expect(store.apply([['a', bytes('1')]], markAt(43))).rejects.toThrow('damaged');
    await store.clear();
    await store.apply([['a', bytes('1')]], markAt(1));
    expect([text(store.get('a')), store.mark]).toEqual(['1', markAt(1)]);
    await store.close();
  });

  const killed = async (work = ''): Promise<string> => {
    const script = join(import.meta.dirname, 'killed.ts');
    const run = promisify(execFile)(process.execPath, [script, folder, '3', work]);
    return run.then(() => 'lived', ({ signal, stdout }: { signal: string; stdout: string }) => `${signal} ${stdout}`);
  }; // prettier-ignore

  test('one that three owners in a row have not lived to let go is not trusted: a damaged page may have ended them', async () => {
    await fill();
    expect([await killed(), await killed()]).toEqual(['SIGKILL 2000', 'SIGKILL 2000']);
    // Let go in good order: they are counted anew.
    await (await open()).close();
    expect([await killed(), await killed(), await killed(), await killed()]).toEqual(['SIGKILL 2000', 'SIGKILL 2000', 'SIGKILL 2000', 'SIGKILL 0']);
    await fill();
    const store = await open();
    expect([store.size, store.mark]).toEqual([2_000, markAt(42)]);
    await store.close();
  }); // prettier-ignore

  test.each([
    ['reads all, writes', 2_000],
    ['reads some, writes', 0],
    ['reads all', 0],
    ['writes', 0],
  ])(
    'two owners were killed, and so is a third one that %s: the next one finds %i entries',
    async (work, size) => {
      await fill();
      await writeFile(join(folder, '3', 'opens'), '2');
      expect(await killed(work)).toBe('SIGKILL 2000');
      const store = await open();
      expect(store.size).toBe(size);
      await store.close();
    },
  );

  test('a full disk stops it, whole as of its mark, and it goes on when there is room again', async () => {
    const fill = async (limit: string): Promise<Record<string, unknown>> => {
      const script = join(import.meta.dirname, 'full.ts');
      const { stdout } = await promisify(execFile)('sh', [
        '-c',
        `trap '' XFSZ; ${limit} exec "$0" "$1" "$2"`,
        process.execPath,
        script,
        folder,
      ]);
      return JSON.parse(stdout) as Record<string, unknown>;
    };
    const full = await fill('ulimit -f 4096;');
    expect(full['message']).toContain('is its disk full');
    const { next } = full as { next: number };
    expect(full).toMatchObject({ size: next, keys: next });
    expect(next).toBeGreaterThan(5);
    expect(next).toBeLessThan(60);
    expect(await fill('')).toEqual({ message: '', next: 199, size: 199, keys: 199 });
  });

  test('keeps nothing but its own files', async () => {
    await fill();
    expect((await readdir(join(folder, '3'))).toSorted()).toEqual(['data.mdb', 'data.mdb-lock', 'owner']);
  });
});
