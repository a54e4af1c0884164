/** What `millrace up` and `demo --keep` leave running, so that another call can find and stop it. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isOurs } from '@millrace/localstack';
import type { Clock } from '@millrace/telemetry';
import type { RunningService } from './services.ts';

export interface KeptServices {
  /** Word on the guards' command lines by which they are known to be ours. */
  readonly token: string;
  readonly apiKey: string;
  readonly services: readonly RunningService[];
}

const file = (directory: string): string => join(directory, 'services.json');
const STOP_MS_MAX = 30_000;
const POLL_MS = 50;

export const writeKept = (directory: string, kept: KeptServices): void => {
  mkdirSync(directory, { recursive: true });
  // The key opens ingest: nobody else on this machine need read it.
  writeFileSync(file(directory), `${JSON.stringify(kept, null, 2)}\n`, { mode: 0o600 });
};

export const readKept = (directory: string): KeptServices | undefined =>
  existsSync(file(directory))
    ? (JSON.parse(readFileSync(file(directory), 'utf8')) as KeptServices)
    : undefined;

/** Those of the kept services that are alive. */
export const aliveServices = async (kept: KeptServices): Promise<readonly RunningService[]> => {
  const alive = await Promise.all(kept.services.map(s => isOurs(s.guardPid, kept.token)));
  return kept.services.filter((_, i) => alive[i]);
};

/** Stops what is kept, in reverse order of the record's journey, and forgets it. Returns how many were alive. */
export const stopKept = async (directory: string, clock: Clock): Promise<number> => {
  const kept = readKept(directory);
  if (kept === undefined) return 0;
  const alive = await aliveServices(kept);
  for (const { guardPid } of alive) process.kill(guardPid, 'SIGTERM');
  const end = clock.now() + STOP_MS_MAX;
  for (const { name, guardPid } of alive)
    while (await isOurs(guardPid, kept.token)) {
      if (clock.now() > end) throw new Error(`${name} (guard ${guardPid}) does not stop`);
      await clock.sleep(POLL_MS);
    }
  rmSync(file(directory));
  return alive.length;
};
