import { setTimeout as sleep } from 'node:timers/promises';
import { isOurs } from './children/alive.ts';
import { answers } from './children/ready.ts';
import { type ProcessRecord, readRecord, removeRecord, type StackRecord, type Way } from './state.ts';

export interface StackStatus {
  readonly way: Way;
  readonly kept: boolean;
  readonly startedByPid: number;
  readonly kafka: string;
  readonly registry: string;
  readonly postgres: string;
  /** Whether each address accepts a connection; false also for what was not asked for. */
  readonly answers: { readonly kafka: boolean; readonly registry: boolean; readonly postgres: boolean };
  /** Processes of the stack that are alive. */
  readonly pids: Readonly<Record<string, number>>;
}

const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** What is known of the stack of a directory; undefined where none has been started, or it was stopped. */
export async function stackStatus(directory: string): Promise<StackStatus | undefined> {
  const record = await readRecord(directory);
  if (!record) return undefined;
  const [live, kafka, registry, postgres] = await Promise.all([
    liveProcesses(record),
    answers(record.kafka.split(',')[0]!),
    answers(record.registry),
    answers(record.postgres),
  ]);
  const { way, kept, startedByPid } = record;
  return {
    way,
    kept,
    startedByPid,
    kafka: record.kafka,
    registry: record.registry,
    postgres: record.postgres,
    answers: { kafka, registry, postgres },
    pids: Object.fromEntries(live.map(({ name, pid }) => [name, pid])),
  };
}

/** Stops the stack of a directory, whoever started it, and waits until it is gone. False where there was none. */
export async function stopStack(directory: string): Promise<boolean> {
  const record = await readRecord(directory);
  if (!record) return false;
  const guards = await liveProcesses(record);
  for (const { guardPid } of guards) terminate(guardPid);
  const end = performance.now() + STOP_TIMEOUT_MS;
  for (const { name, guardPid } of guards) {
    while (await isOurs(guardPid, record.token)) {
      if (performance.now() > end) throw new Error(`${name} (guard ${guardPid}) does not stop`);
      await sleep(POLL_MS);
    }
  }
  await removeRecord(directory);
  return guards.length > 0;
}

/** The record's processes whose guards are alive and still those of this stack. */
export async function liveProcesses(record: StackRecord): Promise<ProcessRecord[]> {
  const alive = await Promise.all(record.processes.map(({ guardPid }) => isOurs(guardPid, record.token)));
  return record.processes.filter((_, i) => alive[i]);
}

function terminate(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    // It ended in this very moment.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
