/** A process that uses the product's own client, with the protections of this run taken out of it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { withAdmin } from './admin.ts';
import type { Rig } from './rig.ts';

/** Ends a process whose stdin has ended: we may be killed before we can end it. */
const WITH_PARENT =
  "data:text/javascript,process.stdin.on('end', () => process.exit(1)).resume(); process.stdin.unref();";
const REGISTER = join(import.meta.dirname, '../../mutants/register.ts');

/** @param script its path, or its name where it lies beside this file */
export const startOwn = (
  { options }: Pick<Rig, 'options'>,
  script: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): ChildProcess => {
  const { mutants } = options;
  const planted = mutants.length > 0 ? ['--import', REGISTER] : [];
  const child = spawn(
    process.execPath,
    [...planted, '--import', WITH_PARENT, resolve(import.meta.dirname, script), ...args],
    {
      env: { ...process.env, ...environment, MILLRACE_MUTANT: mutants.join(',') },
      stdio: ['pipe', 'pipe', 'inherit'],
      signal: options.signal,
      killSignal: 'SIGKILL',
    },
  );
  // That it was interrupted is known to whoever interrupted; how it ended shows in its code.
  child.on('error', () => undefined);
  return child;
};

export const makeTopic = async (
  rig: Rig,
  name: string,
  partitions: number,
  config: Readonly<Record<string, string>> = {},
): Promise<void> => {
  const replicationFactor = rig.brokers.length;
  await withAdmin(rig, admin => admin.createTopics([{ name, partitions, config, replicationFactor }]));
};
