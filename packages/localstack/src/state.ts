import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Way = 'external' | 'containers' | 'jvm';
export type Part = 'kafka' | 'registry' | 'postgres';

export interface ProcessRecord {
  readonly name: string;
  readonly pid: number;
  readonly guardPid: number;
}

/** What is written beside a running stack, so that another process can find and stop it. */
export interface StackRecord {
  readonly way: Way;
  /** Stands on the command line of every guard of this stack. */
  readonly token: string;
  /** Process that started the stack; unless kept, the stack ends with it. */
  readonly startedByPid: number;
  readonly kept: boolean;
  readonly kafka: string;
  readonly registry: string;
  readonly postgres: string;
  readonly processes: readonly ProcessRecord[];
}

const FILE = 'stack.json';

/** Undefined where no stack has been recorded. */
export async function readRecord(directory: string): Promise<StackRecord | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text) as StackRecord;
}

/** Written under another name first: a reader never sees half of it. */
export async function writeRecord(directory: string, record: StackRecord): Promise<void> {
  await mkdir(directory, { recursive: true });
  const draft = join(directory, `${FILE}.${process.pid}.draft`);
  await writeFile(draft, `${JSON.stringify(record, null, 2)}\n`);
  await rename(draft, join(directory, FILE));
}

export async function removeRecord(directory: string): Promise<void> {
  await rm(join(directory, FILE), { force: true });
}
