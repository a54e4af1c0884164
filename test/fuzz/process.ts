import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Extent, Ran } from './judge.ts';

const HEAP_MB_MAX = 256;
/** Between two signs of life; a run gives at least twenty. */
const SILENCE_MS_MIN = 60_000;

/** Runs one target in a child, and tells its end also where it could not tell it itself. */
export const fuzzInChild = (
  module: string,
  name: string,
  extent: Extent,
  silenceMsMax = SILENCE_MS_MIN + (extent.ms ?? 0) / 10,
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, 'child.ts'), [module, name, JSON.stringify(extent)], {
      execArgv: [
        `--max-old-space-size=${HEAP_MB_MAX}`,
        '--expose-gc',
        '--disable-warning=ExperimentalWarning',
      ],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let seen = 0;
    let ran: Ran | undefined;
    let silence = setTimeout(() => child.kill('SIGKILL'), silenceMsMax);
    child.on('message', (message: { readonly inputs?: number; readonly ran?: Ran }) => {
      clearTimeout(silence);
      silence = setTimeout(() => child.kill('SIGKILL'), silenceMsMax);
      seen = message.inputs ?? seen;
      ran = message.ran ?? ran;
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(silence);
      const what = `the process ended (${signal ?? code}) or hung, at input ${extent.from + seen} or soon after`;
      const died = { inputs: seen, megabytes: 0, cpuMsWorst: 0, growthMb: 0, found: [{ index: extent.from + seen, what }] };
      resolve(ran ?? died);
    });
  }); // prettier-ignore
