/** What Linux says of a process and of the machine, under /proc. */
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';

/** Linux counts these times in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100;
const NANOS_PER_SECOND = 1e9;
const KIB_PER_MIB = 1024;

export const coresOfMachine = (): number => cpus().length;

/** Sums some of the times in `/proc/PID/stat`, seconds. */
const timesOf = (pid: number, places: readonly number[]): number => {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name, in brackets, may itself hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return places.reduce((sum, place) => sum + Number(fields[place]), 0) / TICKS_PER_SECOND;
};

/** User and system time, then those of children that have ended. */
const OWN = [11, 12] as const;
const WITH_ENDED = [11, 12, 13, 14] as const;

/** User and system time of all threads of a process, those that ended included. */
export const cpuSecondsOf = (pid: number): number => timesOf(pid, OWN);

/** Of its main thread, which is who starts processes. */
const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);

const isGone = (error: unknown): boolean =>
  ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '');

/** The same of a process with its children, those that ended included: of a server with a process for each client. */
export const cpuSecondsOfFamily = (pid: number): number =>
  childrenOf(pid).reduce(
    (sum, child) => {
      try {
        return sum + timesOf(child, WITH_ENDED);
      } catch (error) {
        if (!isGone(error)) throw error;
        return sum; // it ended while we looked: its parent has its time at the next look
      }
    },
    timesOf(pid, WITH_ENDED),
  );

/** Time for which the main thread could have run and had no core. */
export const runQueueSecondsOf = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / NANOS_PER_SECOND;

const statusMb = (pid: number, field: string): number => {
  const found = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`process ${pid} has no ${field}`);
  return Math.round(Number(found[1]) / KIB_PER_MIB);
};

export interface Memory {
  /** Largest resident set so far. */
  readonly rssMaxMb: number;
  /** Of the resident set now, what is not backed by files. */
  readonly anonymousMb: number;
}

export const memoryOf = (pid: number): Memory => ({
  rssMaxMb: statusMb(pid, 'VmHWM'),
  anonymousMb: statusMb(pid, 'RssAnon'),
});

/** Time that all cores together were busy. */
export const machineCpuSeconds = (): number => {
  const [line] = readFileSync('/proc/stat', 'utf8').split('\n');
  const [user, nice, system, , , irq, softIrq, steal] = line!.split(/\s+/).slice(1).map(Number);
  return (user! + nice! + system! + irq! + softIrq! + steal!) / TICKS_PER_SECOND;
};
