import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { expect } from '@jest/globals';
import { testUnless } from '../../../test/jest/skip.ts';
import { cpuSecondsOf, cpuSecondsOfFamily } from '../../src/linux/usage.ts';

const hasProc = existsSync(`/proc/${process.pid}/task/${process.pid}/children`);
const ifProc = testUnless(hasProc ? undefined : 'no /proc that lists the children of a process');

/** Burns what a shell counts as its own time, in children that end and in one that stays. */
const SCRIPT = `
burn='i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done'
sh -c "$burn"
sh -c "$burn; echo ready; sleep 60; :" &
wait
`;

ifProc('the time of a family is that of children, too, living and ended', async () => {
  const shell = spawn('sh', ['-c', SCRIPT], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  try {
    await once(shell.stdout, 'data');
    const [own, family] = [cpuSecondsOf(shell.pid!), cpuSecondsOfFamily(shell.pid!)];
    // Two children burned as much as each other, the shell itself next to nothing.
    expect(own).toBeLessThan(family / 2);
    expect(family).toBeGreaterThan(0.03);
  } finally {
    process.kill(-shell.pid!, 'SIGKILL');
  }
});
