/** Which code was measured: a figure without it cannot be made again. */
import { execFileSync } from 'node:child_process';
import { ROOT } from './world/service.ts';

/** The commit that is checked out there, with a `+` where files differ from it; undefined without git. */
export const commitOf = (folder: string = ROOT): string | undefined => {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const commit = git('rev-parse', '--short', 'HEAD');
    return git('status', '--porcelain') === '' ? commit : `${commit}+`;
  } catch {
    return undefined; // no git, or no repository: an image or an archive
  }
};
