/** Services of ours as processes: everything at its default, but for what a bench says. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Child } from '@millrace/localstack';
import { SERVICE_START } from '@millrace/runtime';
import { launch } from '../launch.ts';
import type { BenchWorld } from './open.ts';

export const ROOT = join(import.meta.dirname, '../../..');

export const SERVICES = ['feature', 'inference', 'sink'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** What Node is started with. */
export interface Entry {
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** The service that ships, with the pipelines that ship. */
export const shippedEntry = (service: ServiceName): Entry => ({
  args: [join(ROOT, 'services', service, 'src/main.ts')],
  environment: {},
});

/** The same service, with the pipelines of the benches. */
export const benchEntry = (service: ServiceName): Entry => ({
  args: [join(import.meta.dirname, 'serve.ts')],
  environment: { BENCH_SERVICE: service },
});

export interface ServiceOptions {
  /** Of the process, its log and its ready file. */
  readonly name: string;
  readonly entry: Entry;
  /** Name of the pipeline that it serves. */
  readonly pipeline: string;
  readonly settings: Readonly<Record<string, string>>;
  /** A CPU profile is written there at each stop. */
  readonly profile?: string | undefined;
}

/** One that tells whether it has joined its group and would answer now. */
export interface Service {
  start(): Promise<Child>;
  ready(): Promise<boolean>;
}

/** The file is there once a process has begun; where it names a port, that is asked. */
export const saysReady = async (readyFile: string): Promise<boolean> => {
  if (!existsSync(readyFile)) return false;
  const { port } = JSON.parse(readFileSync(readyFile, 'utf8')) as { port?: number };
  if (port === undefined) return true;
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false; // it listens in a moment, or its end is noticed by whoever waits
  }
};

export const serviceOf = (
  world: BenchWorld,
  { name, entry, pipeline, settings, profile: directory }: ServiceOptions,
): Service => {
  const readyFile = join(world.directory, `${name}.ready.json`);
  if (directory !== undefined) mkdirSync(directory, { recursive: true });
  const profile = directory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${directory}`];
  const environment = {
    ...SERVICE_START.environment,
    ...entry.environment,
    ...settings,
    MILLRACE_PIPELINES: pipeline,
    KAFKA_BOOTSTRAP_SERVERS: world.kafka,
    SCHEMA_REGISTRY_URL: world.registryUrl,
    ...(world.database && { DATABASE_URL: world.database.url }),
    MILLRACE_MODELS: dirname(dirname(world.modelFolder)),
    MILLRACE_READY_FILE: readyFile,
    HOST: '127.0.0.1',
    PORT: '0',
  };
  return {
    start: () => {
      rmSync(readyFile, { force: true });
      const args = [...SERVICE_START.args, ...profile, ...entry.args];
      return launch(world, { name, command: process.execPath, args, environment });
    },
    ready: () => saysReady(readyFile),
  };
};
