/** The four services as processes of their own, each under a guard: none outlives us unless it is told to. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Child, startGuarded } from '@millrace/localstack';
import { SERVICE_START } from '@millrace/runtime';
import type { Clock } from '@millrace/telemetry';
import type { Addresses } from './addresses.ts';

export const SERVICE_NAMES = ['ingest', 'feature', 'inference', 'sink'] as const;
export type ServiceName = (typeof SERVICE_NAMES)[number];

export interface RunningService {
  readonly name: ServiceName;
  readonly pid: number;
  readonly guardPid: number;
  readonly port: number;
}

export interface ServicesOptions {
  /** Default: all. */
  readonly names?: readonly ServiceName[];
  readonly addresses: Addresses;
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Given to ingest; who sends must have it. */
  readonly apiKey: string;
  readonly token: string;
  readonly say: (line: string) => void;
  /** Longest that a service may take to be ready. Default 60,000. */
  readonly readyMsMax?: number;
  /** How often services are started again, all together, before one that ends stays down. Default 20. */
  readonly restartsMax?: number;
}

const READY_MS_MAX = 60_000;
const POLL_MS = 50;
const STOP_GRACE_S = 15;
const RESTARTS_MAX = 20;
/** Between an attempt to start a service again that failed, and the next. */
const RESTART_WAIT_MS = 1_000;
const SERVICES_FOLDER = join(import.meta.dirname, '../../..');

const serviceEnvironment = (
  options: ServicesOptions,
  readyFile: string,
): Record<string, string | undefined> => ({
  LOG_LEVEL: 'info',
  ...SERVICE_START.environment,
  ...options.environment,
  KAFKA_BOOTSTRAP_SERVERS: options.addresses.kafka,
  SCHEMA_REGISTRY_URL: options.addresses.registry,
  DATABASE_URL: options.addresses.postgres,
  INGEST_API_KEYS: `demo=${options.apiKey}`,
  HOST: '127.0.0.1',
  PORT: '0',
  MILLRACE_READY_FILE: readyFile,
});

const readPort = (readyFile: string): number | undefined => {
  try {
    return (JSON.parse(readFileSync(readyFile, 'utf8')) as { port: number }).port;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
};

/** Whether a service says that it is ready, with its reasons when not. */
export const readiness = async (port: number): Promise<{ readonly ready: boolean; readonly why: string }> => {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) });
    return { ready: answer.ok, why: await answer.text() };
  } catch (error) {
    return { ready: false, why: (error as Error).message };
  }
};

const lastLog = (file: string): string => readFileSync(file, 'utf8').trim().split('\n').slice(-3).join('\n');

const startOne = async (
  name: ServiceName,
  options: ServicesOptions,
): Promise<RunningService & { readonly child: Child }> => {
  const { directory, clock, signal, readyMsMax = READY_MS_MAX } = options;
  const readyFile = join(directory, `${name}.ready.json`);
  const logFile = join(directory, 'logs', `${name}.log`);
  rmSync(readyFile, { force: true });
  const child = await startGuarded({
    name,
    command: process.execPath,
    args: [...SERVICE_START.args, join(SERVICES_FOLDER, name, 'src/main.ts')],
    logFile,
    workingDirectory: directory,
    environment: serviceEnvironment(options, readyFile),
    stopSignal: 'TERM',
    stopGraceS: STOP_GRACE_S,
    token: options.token,
  });
  let over = false;
  void child.ended.then(() => (over = true));
  const end = clock.now() + readyMsMax;
  let why = 'it does not listen';
  try {
    while (clock.now() < end) {
      if (over)
        throw new Error(`${name} ended while it started; the end of ${logFile}:\n${lastLog(logFile)}`);
      const port = readPort(readyFile);
      if (port !== undefined) {
        const state = await readiness(port);
        if (state.ready) return { name, pid: child.pid, guardPid: child.guardPid, port, child };
        why = state.why;
      }
      await clock.sleep(POLL_MS, signal);
    }
    throw new Error(`${name} was not ready within ${readyMsMax / 1000} s: ${why}`);
  } catch (error) {
    await child.stop();
    throw error;
  }
};

export interface Services {
  list(): readonly RunningService[];
  port(name: ServiceName): number;
  /** Lets them outlive us. */
  release(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts services and keeps them running: one that ends by itself is started again, and that is said. */
export const startServices = async (options: ServicesOptions): Promise<Services> => {
  mkdirSync(join(options.directory, 'logs'), { recursive: true });
  const names = options.names ?? SERVICE_NAMES;
  const running = new Map<ServiceName, RunningService & { readonly child: Child }>();
  const stopping = new AbortController();
  /** What is being started again: a stop in its midst ends it too. */
  const starting = new Set<Promise<void>>();
  const again = { ...options, signal: AbortSignal.any([options.signal, stopping.signal]) };
  let restarts = 0;
  const startAgain = async (name: ServiceName): Promise<void> => {
    while (++restarts <= (options.restartsMax ?? RESTARTS_MAX))
      try {
        running.set(name, await startOne(name, again));
        return watch(name);
      } catch (error) {
        if (again.signal.aborted) return;
        options.say(`${name} could not be started again: ${(error as Error).message}`);
        await options.clock.sleep(RESTART_WAIT_MS, again.signal).catch(() => undefined);
      }
    options.say(`${name} ended too often; it stays down`);
  };
  const watch = (name: ServiceName): void => {
    void running.get(name)!.child.ended.then(code => {
      if (again.signal.aborted) return;
      options.say(`${name} ended (${code}); starting it again`);
      const start = startAgain(name).finally(() => starting.delete(start));
      starting.add(start);
    });
  };
  const stop = async (): Promise<void> => {
    stopping.abort(new Error('the services are stopped'));
    await Promise.all(starting);
    await Promise.all([...running.values()].map(({ child }) => child.stop()));
  };
  try {
    // Each reads what the one before it writes; together they start faster.
    const started = await Promise.allSettled(
      names.map(async name => running.set(name, await startOne(name, options))),
    );
    for (const one of started) if (one.status === 'rejected') throw one.reason;
  } catch (error) {
    await stop();
    throw error;
  }
  for (const name of names) watch(name);
  return {
    list: () =>
      names.map(name => {
        const { pid, guardPid, port } = running.get(name)!;
        return { name, pid, guardPid, port };
      }),
    port: name => running.get(name)!.port,
    release: async () => {
      stopping.abort(new Error('the services go on alone'));
      await Promise.all(starting);
      await Promise.all([...running.values()].map(({ child }) => child.release()));
    },
    stop,
  };
};
