/** Holds a process to a part of the machine, by a control group of its own. Linux, as root; version 1 or 2. */
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const GROUPS = '/sys/fs/cgroup';
/** Short, so that a process that is held stops and goes on often, and not once in a tenth of a second. */
const PERIOD_US = 10_000;

/**
 * Lets all threads of a process have that many cores together from now on; what is handed back takes the group away, once
 * the process has ended.
 * @throws Error where nobody may do that here, with the remedy
 */
export const holdToCores = (pid: number, cores: number, groups = GROUPS): (() => void) => {
  const quotaUs = String(Math.round(PERIOD_US * cores));
  const isFirst = existsSync(join(groups, 'cpu/cpu.cfs_quota_us'));
  const directory = join(groups, isFirst ? 'cpu' : '', `millrace-bench-${pid}`);
  const tell = (file: string, text: string): void => writeFileSync(join(directory, file), text);
  try {
    if (!isFirst) writeFileSync(join(groups, 'cgroup.subtree_control'), '+cpu');
    mkdirSync(directory);
    if (isFirst) {
      tell('cpu.cfs_period_us', String(PERIOD_US));
      tell('cpu.cfs_quota_us', quotaUs);
    } else tell('cpu.max', `${quotaUs} ${PERIOD_US}`);
    tell('cgroup.procs', String(pid));
  } catch (error) {
    const remedy =
      'run as root on Linux where control groups have their cpu controller, or leave --cores out';
    throw new Error(
      `--cores: a process cannot be held to ${cores} cores here (${(error as Error).message}): ${remedy}`,
      {
        cause: error,
      },
    );
  }
  return () => rmdirSync(directory);
};
