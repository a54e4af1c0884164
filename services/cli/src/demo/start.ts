import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseWay } from '@millrace/localstack';
import { EXIT, type ExitCode, type Io } from '../io.ts';
import { type DemoOptions, runDemo } from './demo.ts';
import { startInMemory } from './memory.ts';
import { startProcesses } from './processes.ts';
import type { DemoResult } from './summary.ts';
import type { DemoWorld } from './world.ts';

export interface DemoFlags extends DemoOptions {
  readonly stack?: DemoResult['stack'];
  readonly directory: string;
}

/** A machine with nothing but Node still shows everything, in one process, and says what that does not prove. */
const startHere = async (io: Io, flags: DemoFlags, directory: string): Promise<DemoWorld> => {
  if (flags.stack === 'memory') return startInMemory(io, directory, []);
  const { way, reasons } = await chooseWay(
    io.environment,
    flags.stack === undefined ? undefined : [flags.stack],
  );
  if (way !== undefined) return startProcesses(io, { way, directory, keep: flags.keep });
  if (flags.stack !== undefined) throw new Error(`no stack by way of ${flags.stack}: ${reasons.join('; ')}`);
  return startInMemory(io, directory, reasons);
};

/** `millrace demo`. Without `--keep` it has a folder of its own, so that it never meets a stack that is running. */
export const demo = async (io: Io, flags: DemoFlags): Promise<ExitCode> => {
  const directory = flags.keep ? flags.directory : mkdtempSync(join(tmpdir(), 'millrace-demo-'));
  let world: DemoWorld | undefined;
  let code: ExitCode = EXIT.failed;
  try {
    world = await startHere(io, flags, directory);
    code = await runDemo(io, world, flags);
    if (code !== EXIT.done)
      io.say(`The account does not add up. Logs of the services: ${join(directory, 'logs')}`);
    return code;
  } finally {
    const interrupted = io.signal.aborted;
    if (interrupted) io.say('Interrupted; stopping everything.');
    await world?.end(flags.keep && !interrupted);
    // Logs of a run that failed are what one wants to read then.
    if (!flags.keep && (code === EXIT.done || interrupted))
      rmSync(directory, { recursive: true, force: true });
  }
};
