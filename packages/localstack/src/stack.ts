import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startContainers } from './containers/start.ts';
import { startExternal } from './external.ts';
import type { Tuning } from './java/flags.ts';
import type { BrokerSettings } from './kafka/properties.ts';
import { startJvm } from './jvm.ts';
import { liveProcesses } from './kept.ts';
import { Running } from './running.ts';
import { type Part, readRecord, removeRecord, type Way, writeRecord } from './state.ts';
import { tokenFor } from './token.ts';
import { chooseWay, WAYS } from './ways.ts';

export interface StackOptions {
  /** Ways to try, in order; default: all. */
  readonly ways?: readonly Way[];
  readonly brokers?: 1 | 3;
  /**
   * Child processes only: given the port of a broker that is to be started, says where clients are told to come
   * instead, such as a proxy. Brokers talk to each other past it.
   */
  readonly front?: (port: number) => Promise<number>;
  /** Child processes only: settings of brokers beside ours, by Kafka's own names. */
  readonly brokerSettings?: BrokerSettings;
  /** Default: all three. */
  readonly parts?: readonly Part[];
  /** Holds data, logs and `stack.json`; one stack at a time lives in it. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called with the bootstrap addresses of brokers that were started here: their coordinators are not ready when they are. */
  readonly warmUp?: (bootstrap: string) => Promise<void>;
  readonly onProgress?: (line: string) => void;
  /** Leave the stack running, and its data in place, when this process ends; `stopStack` ends it. */
  readonly keep?: boolean;
  /** Default `startsFast`. */
  readonly tuning?: Tuning;
  /** Let the first stop take some seconds longer, so that later starts are faster by two. */
  readonly writeArchive?: boolean;
}

export interface Stack {
  readonly way: Way;
  /** Bootstrap addresses `host:port,…`; empty when Kafka was not asked for. */
  readonly kafka: string;
  /** Base of the Confluent-compatible API; empty when the registry was not asked for. */
  readonly registry: string;
  /** `postgres://…`; empty when PostgreSQL was not asked for. */
  readonly postgres: string;
  /** By name of the process: `kafka-1`, `registry`, `postgres`. */
  readonly pids: Readonly<Record<string, number>>;
  readonly logDirectory: string;
  /** Child processes only: waits for the end of a broker or PostgreSQL, and starts it again on its data and ports. */
  revive(name: string): Promise<void>;
  /** Stops whatever this stack started, kept or not; safe twice. */
  stop(): Promise<void>;
}

/** What the ways need to know; everything is settled. */
export interface Plan {
  readonly parts: readonly Part[];
  readonly brokers: 1 | 3;
  readonly front?: (port: number) => Promise<number>;
  readonly brokerSettings?: BrokerSettings;
  readonly keep: boolean;
  readonly tuning: Tuning;
  readonly writeArchive: boolean;
  readonly token: string;
  readonly dataDirectory: string;
  readonly logDirectory: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly onProgress: (line: string) => void;
}

const STARTERS = { external: startExternal, jvm: startJvm, containers: startContainers };

/**
 * Starts what is asked for by the first way that can be had, and resolves when all of it answers. Throws with every
 * way's reason where no stack can be had, and when a stack is running in the directory already.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const directory = resolve(options.directory);
  await refuseSecond(directory);
  const { way, reasons } = await chooseWay(options.environment, options.ways ?? WAYS);
  if (way === undefined) throw new Error(`no stack can be had here: ${reasons.join('; ')}`);
  const plan = await planFor(options, directory);
  const running = new Running();
  try {
    await STARTERS[way](plan, running);
    if (way !== 'external' && running.kafka !== '' && options.warmUp) await options.warmUp(running.kafka);
    await record(way, running, plan, directory);
    if (plan.keep) await Promise.all(running.children.map(child => child.release()));
  } catch (error) {
    await running.stop();
    throw error;
  }
  return handle(way, running, plan, directory);
}

const record = (way: Way, running: Running, plan: Plan, directory: string): Promise<void> =>
  writeRecord(directory, {
    way,
    token: plan.token,
    startedByPid: process.pid,
    kept: plan.keep,
    kafka: running.kafka,
    registry: running.registry,
    postgres: running.postgres,
    processes: running.children.map(({ name, pid, guardPid }) => ({ name, pid, guardPid })),
  });

function handle(way: Way, running: Running, plan: Plan, directory: string): Stack {
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await running.stop();
    await removeRecord(directory);
  };
  return {
    way,
    kafka: running.kafka,
    registry: running.registry,
    postgres: running.postgres,
    get pids() {
      return Object.fromEntries(running.children.map(({ name, pid }) => [name, pid]));
    },
    logDirectory: plan.logDirectory,
    revive: async name => {
      await running.revive(name);
      await record(way, running, plan, directory);
    },
    stop: () => (stopped ??= stop()),
  };
}

async function refuseSecond(directory: string): Promise<void> {
  const record = await readRecord(directory);
  if (record && (await liveProcesses(record)).length > 0) {
    throw new Error(`a stack is running in ${directory} already, started by process ${record.startedByPid}`);
  }
}

async function planFor(options: StackOptions, directory: string): Promise<Plan> {
  const keep = options.keep ?? false;
  const plan: Plan = {
    parts: options.parts ?? ['kafka', 'registry', 'postgres'],
    brokers: options.brokers ?? 1,
    ...(options.front === undefined ? {} : { front: options.front }),
    ...(options.brokerSettings === undefined ? {} : { brokerSettings: options.brokerSettings }),
    keep,
    tuning: options.tuning ?? 'startsFast',
    writeArchive: options.writeArchive ?? false,
    token: tokenFor(directory),
    dataDirectory: join(directory, keep ? 'data' : 'throwaway'),
    logDirectory: join(directory, 'logs'),
    environment: options.environment,
    onProgress: options.onProgress ?? (() => {}),
  };
  await mkdir(plan.logDirectory, { recursive: true });
  return plan;
}
