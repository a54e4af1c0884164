import { createHash } from 'node:crypto';
import { lstat, mkdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { LOCK } from './lock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const HASH_LENGTH = 12;
const EXECUTE_BY_OTHERS = 0o001;

/** Where downloads and prepared folders are kept; another lock is another folder. */
export function cacheFolder(environment: Environment, lock: unknown = LOCK): string {
  const home = environment['HOME'] || homedir();
  const base = environment['XDG_CACHE_HOME'] || join(home, '.cache');
  const hash = createHash('sha256').update(JSON.stringify(lock)).digest('hex').slice(0, HASH_LENGTH);
  return join(base, 'millrace', hash);
}

/**
 * Returns the folder, filled by `fill` if it is not there yet. It is filled under another name and then renamed, so
 * that a folder that exists is complete, whoever else is preparing the same one, and whoever was killed at it.
 */
export async function preparedOnce(folder: string, fill: (into: string) => Promise<void>): Promise<string> {
  if (await exists(folder)) return folder;
  const draft = `${folder}.${process.pid}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  try {
    await fill(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    // Another process was faster: what it prepared is as good as ours.
    if (!(await exists(folder))) throw error;
  }
  return folder;
}

export async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

/** Whether a user other than the owner can reach what lies under the path; parts that do not exist yet are ours to make. */
export async function isReachableByOthers(path: string): Promise<boolean> {
  let at = resolve(path);
  for (;;) {
    if ((await exists(at)) && ((await stat(at)).mode & EXECUTE_BY_OTHERS) === 0) return false;
    const parent = dirname(at);
    if (parent === at) return true;
    at = parent;
  }
}

/** Makes a folder under a place that everybody may write to, and refuses one that another user has put there before. */
export async function ownFolder(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${path} exists and is not a folder of ours: remove it`);
  }
  return path;
}
