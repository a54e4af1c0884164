/** The services under test, as processes of their own. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Services, startServices } from '@millrace/cli';
import { fraud } from '@millrace/pipelines';
import { cpuSeconds } from './cpu.ts';
import type { ParityOptions } from './run.ts';

/** Of a machine under load, which all of this is to run on as well. */
const READY_MS_MAX = 240_000;
/** More than there are kills in any run. */
const RESTARTS_MAX = 1_000;

/** One service as a process of its own; it is started again when it ends. */
export const startService = (
  options: ParityOptions,
  name: 'feature' | 'inference',
  directory: string,
): Promise<Services> => {
  mkdirSync(directory, { recursive: true });
  return startServices({
    names: [name],
    addresses: options.addresses,
    directory,
    environment: {
      ...options.environment,
      ...(options.stateMb !== undefined && {
        MILLRACE_STATE_DIR: join(directory, 'state'),
        FEATURE_STATE_CACHE_BYTES_MAX: String(options.stateMb * 1_048_576),
      }),
      MILLRACE_PIPELINES: fraud.name,
      MILLRACE_MODELS: join(options.directory, 'models'),
    },
    clock: options.world.clock,
    signal: options.signal,
    apiKey: 'none',
    token: `millrace-parity-${process.pid}`,
    say: options.say,
    readyMsMax: READY_MS_MAX,
    restartsMax: RESTARTS_MAX,
  });
};

export const startFeature = (options: ParityOptions): Promise<readonly Services[]> =>
  Promise.all(
    Array.from({ length: options.processes }, (_, i) =>
      startService(
        options,
        'feature',
        i === 0 ? options.directory : join(options.directory, `feature-${i + 1}`),
      ),
    ),
  );

export const pidsOf = (services: readonly Services[]): readonly number[] =>
  services.flatMap(one => one.list().map(({ pid }) => pid));

/** CPU of all; undefined where one is not known. A process that was started again has taken the first one's with it. */
export const cpuOf = (pids: readonly number[]): number | undefined => {
  const seconds = pids.map(cpuSeconds);
  return seconds.includes(undefined) ? undefined : seconds.reduce<number>((sum, one) => sum + one!, 0);
};
