/** Starts a contestant as a process of its own. */
import { join } from 'node:path';
import { type Child, startGuarded } from '@millrace/localstack';
import type { BenchWorld } from './world/open.ts';

const STOP_GRACE_S = 15;
const TOKEN = 'millrace-bench';

export interface Launch {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export const launch = (world: BenchWorld, { name, command, args, environment }: Launch): Promise<Child> =>
  startGuarded({
    name,
    command,
    args,
    logFile: join(world.directory, `${name}.log`),
    workingDirectory: world.directory,
    environment: { PATH: process.env['PATH'], ...environment },
    stopSignal: 'TERM',
    stopGraceS: STOP_GRACE_S,
    token: TOKEN,
  });
