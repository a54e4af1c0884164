/** What a run takes place on: a stack of its own behind proxies, the services, the load, and readers beside them. */
import { setMaxListeners } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FIRST_MODEL_VERSION, openWorld, prepare, warmUp } from '@millrace/cli';
import { type Stack, startStack } from '@millrace/localstack';
import { fraud } from '@millrace/pipelines';
import { FaultProxy } from '../proxy/proxy.ts';
import { Feed } from './feed.ts';
import { API_KEY, Fleet, type ServiceName } from './fleet.ts';
import { Follower } from './follower.ts';
import { Memory } from './memory.ts';
import { openPython, type Python } from './script.ts';

export interface RigOptions {
  readonly brokers: 1 | 3;
  readonly seed: number;
  readonly rate: number;
  /** Records that will be sent, about. */
  readonly records: number;
  readonly mutants: readonly string[];
  readonly services: Readonly<Partial<Record<ServiceName, number>>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly brokerSettings?: Readonly<Record<string, string | number | boolean>>;
  /** Folder for a copy of the logs. */
  readonly logs: string | undefined;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

/** Above the nine seconds after which brokers miss one of theirs; below it a dead coordinator costs every member its place. */
const SESSION_MS = { 1: '6000', 3: '10000' } as const;

export interface Rig {
  readonly options: RigOptions;
  readonly stack: Stack;
  readonly python: Python;
  /** One for each broker, in the order of their numbers. */
  readonly brokers: readonly FaultProxy[];
  readonly registry: FaultProxy;
  readonly database: FaultProxy;
  readonly fleet: Fleet;
  readonly feed: Feed;
  /** Reads predictions and letters while they come. */
  readonly follower: Follower;
  readonly memory: Memory;
  /** For files that a run needs. */
  readonly directory: string;
  close(): Promise<void>;
}

const proxied = (url: string, port: number): string => {
  const address = new URL(url);
  address.port = String(port);
  return address.href.replace(/\/$/, '');
};

const targetOf = (url: string): { host: string; port: number } => {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port) };
};

export const startRig = async (options: RigOptions): Promise<Rig> => {
  const { signal, say } = options;
  // Whatever is started or waited for listens to it, which is no leak.
  setMaxListeners(0, signal);
  const closing: (() => Promise<void> | void)[] = [];
  const close = async (): Promise<void> => {
    for (const step of closing.splice(0).toReversed()) await step();
  };
  const directory = mkdtempSync(join(tmpdir(), 'millrace-chaos-'));
  closing.push(() => {
    const logs = join(directory, 'logs');
    if (options.logs !== undefined && existsSync(logs)) cpSync(logs, options.logs, { recursive: true });
    rmSync(directory, { recursive: true, force: true });
  });
  try {
    // PostgreSQL runs as another user where we are root.
    chmodSync(directory, 0o755);
    const python = await openPython(signal);
    const brokers: FaultProxy[] = [];
    const stack = await startStack({
      ways: ['jvm'],
      brokers: options.brokers,
      directory,
      environment: process.env,
      warmUp,
      front: async port => {
        const name = `broker-${brokers.length + 1}`;
        const proxy = await FaultProxy.listen({ name, target: { host: '127.0.0.1', port }, speaks: 'kafka' });
        closing.push(() => proxy.close());
        brokers.push(proxy);
        return proxy.port;
      },
      ...(options.brokerSettings === undefined ? {} : { brokerSettings: options.brokerSettings }),
      onProgress: say,
    });
    closing.push(() => stack.stop());
    const beside = async (name: string, url: string): Promise<FaultProxy> => {
      const proxy = await FaultProxy.listen({ name, target: targetOf(url), speaks: 'anything' });
      closing.push(() => proxy.close());
      return proxy;
    };
    const registry = await beside('registry', stack.registry);
    const database = await beside('database', stack.postgres);
    const world = openWorld(stack);
    try {
      await prepare(world, [fraud], () => FIRST_MODEL_VERSION, options.brokers);
    } finally {
      await world.broker.close();
    }
    signal.throwIfAborted();

    mkdirSync(join(directory, 'logs'), { recursive: true });
    const fleet = new Fleet({
      directory,
      mutants: options.mutants,
      environment: {
        ...process.env,
        MILLRACE_PIPELINES: fraud.name,
        LOG_LEVEL: 'info',
        KAFKA_BOOTSTRAP_SERVERS: stack.kafka,
        SCHEMA_REGISTRY_URL: proxied(stack.registry, registry.port),
        DATABASE_URL: proxied(stack.postgres, database.port),
        INGEST_API_KEYS: `chaos=${API_KEY}`,
        FEATURE_SESSION_TIMEOUT_MS: SESSION_MS[options.brokers],
        INFERENCE_SESSION_TIMEOUT_MS: SESSION_MS[options.brokers],
        ...options.environment,
      },
      token: `millrace-chaos-${process.pid}`,
      signal,
      say,
    });
    closing.push(() => fleet.close());
    await fleet.start(options.services);

    const at = { python, bootstrap: stack.kafka, registry: stack.registry };
    const feed = new Feed({ ...at, ...options });
    closing.push(() => feed.close());
    const follower = new Follower(at);
    closing.push(() => follower.close());
    const memory = new Memory(fleet, say);
    closing.push(() => memory.close());
    return {
      options, stack, python, brokers, registry, database, fleet, feed, follower, memory,
      directory,
      close,
    }; // prettier-ignore
  } catch (error) {
    await close();
    throw error;
  }
};
