import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './cache/folder.ts';
import { isDownloaded } from './cache/download.ts';
import { findJava, mavenMissing } from './java/find.ts';
import type { Way } from './state.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface Choice {
  /** The first way that can be had, if any. */
  readonly way?: Way;
  /** Why each way before it, or every way, cannot be had. */
  readonly reasons: readonly string[];
}

/**
 * In order of preference. Child processes come before containers: they start in seconds, from a download of 150 MB
 * instead of a gigabyte of images.
 */
export const WAYS: readonly Way[] = ['external', 'jvm', 'containers'];

/** Says by which way a stack can be had on this machine, and why not by the others. */
export async function chooseWay(environment: Environment, ways: readonly Way[] = WAYS): Promise<Choice> {
  const reasons: string[] = [];
  for (const way of ways) {
    const reason = await whyNot(way, environment);
    if (reason === undefined) return { way, reasons };
    reasons.push(reason);
  }
  return { reasons };
}

function whyNot(way: Way, environment: Environment): Promise<string | undefined> {
  if (way === 'external') return Promise.resolve(whyNotExternal(environment));
  return way === 'jvm' ? whyNotJvm(environment) : whyNotContainers(environment);
}

/** Kafka and the registry go together; PostgreSQL may be ours. */
export function whyNotExternal(environment: Environment): string | undefined {
  const kafka = environment['KAFKA_BOOTSTRAP_SERVERS'];
  const registry = environment['SCHEMA_REGISTRY_URL'];
  if (kafka && registry) return undefined;
  if (kafka) return 'KAFKA_BOOTSTRAP_SERVERS is set, but SCHEMA_REGISTRY_URL is not';
  if (registry) return 'SCHEMA_REGISTRY_URL is set, but KAFKA_BOOTSTRAP_SERVERS is not';
  return 'KAFKA_BOOTSTRAP_SERVERS is not set';
}

async function whyNotJvm(environment: Environment): Promise<string | undefined> {
  if (process.platform === 'win32') return 'no child processes of Unix kind on Windows';
  const java = await findJava(environment);
  if (typeof java === 'string') return java;
  if (await isDownloaded(cacheFolder(environment))) return undefined;
  return mavenMissing(environment);
}

/** Where engines listen; looked at first because loading the container library takes a second or two. */
function engineSockets(environment: Environment): string[] {
  const home = environment['HOME'] ?? '/nonexistent';
  const runtime = environment['XDG_RUNTIME_DIR'];
  return [
    '/var/run/docker.sock',
    join(home, '.docker/run/docker.sock'),
    join(home, '.colima/default/docker.sock'),
    ...(runtime ? [join(runtime, 'docker.sock'), join(runtime, 'podman/podman.sock')] : []),
  ];
}

async function whyNotContainers(environment: Environment): Promise<string | undefined> {
  const found = await Promise.all(engineSockets(environment).map(isSocket));
  if (!environment['DOCKER_HOST'] && !found.includes(true))
    return 'no container engine: no socket of one found';
  const { getContainerRuntimeClient } = await import('testcontainers');
  try {
    await getContainerRuntimeClient();
    return undefined;
  } catch (error) {
    return `no container engine answers: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function isSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket();
  } catch {
    // Not there, or not ours to see.
    return false;
  }
}
