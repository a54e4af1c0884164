import { readFile } from 'node:fs/promises';
import { runCommand } from './command.ts';

const PS_TIMEOUT_MS = 5_000;

/** Whether the process still runs and has the word on its command line: a pid alone may have a new owner by now. */
export async function isOurs(pid: number, token: string): Promise<boolean> {
  return (await commandLine(pid)).includes(token);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It lives, under another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    // A process that has ended has no such file.
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
  const { output } = await runCommand('ps', ['-ww', '-o', 'args=', '-p', String(pid)], {
    environment: { PATH: '/bin:/usr/bin' },
    timeoutMs: PS_TIMEOUT_MS,
  });
  return output;
}
