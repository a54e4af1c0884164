import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { kafkaJars, registryApp } from './cache/download.ts';
import { cacheFolder } from './cache/folder.ts';
import { type Java, findJava } from './java/find.ts';
import { startKafka } from './kafka/start.ts';
import { startPostgresProcess } from './postgres/start.ts';
import { startRegistry } from './registry/start.ts';
import type { Running } from './running.ts';
import type { Plan } from './stack.ts';

/** Starts the parts as child processes, side by side. */
export async function startJvm(plan: Plan, running: Running): Promise<void> {
  const java = await findJava(plan.environment);
  if (typeof java === 'string') throw new Error(java);
  await provideFolders(plan, running);
  const cache = cacheFolder(plan.environment);
  const download = { cache, environment: plan.environment, onProgress: plan.onProgress };
  // One after the other: two Mavens may spoil each other's local repository.
  const jars = plan.parts.includes('kafka') ? await kafkaJars(download) : '';
  const app = plan.parts.includes('registry') ? await registryApp(download) : '';
  plan.onProgress(`starting ${plan.parts.join(', ')}`);
  const starts = plan.parts.map(part => {
    if (part === 'kafka') return addKafka(plan, running, java, jars);
    return part === 'registry' ? addRegistry(plan, running, java, app) : addPostgres(plan, running);
  });
  await allSettledOrThrow(starts);
}

/** Waits for every one before it throws, so that none is still starting when the others are stopped. */
async function allSettledOrThrow(starts: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(starts)).find(result => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function provideFolders(plan: Plan, running: Running): Promise<void> {
  if (!plan.keep) {
    // Left by a run that was killed.
    await rm(plan.dataDirectory, { recursive: true, force: true });
    running.afterwards.push(() => rm(plan.dataDirectory, { recursive: true, force: true }));
  }
  await mkdir(plan.dataDirectory, { recursive: true });
}

async function addKafka(plan: Plan, running: Running, java: Java, jars: string): Promise<void> {
  const dataDirectory = join(plan.dataDirectory, 'kafka');
  await mkdir(dataDirectory, { recursive: true });
  const cluster = await startKafka({
    ...plan,
    java,
    jars,
    dataDirectory,
    cache: cacheFolder(plan.environment),
  });
  running.kafka = cluster.bootstrap;
  running.children.push(...cluster.children);
  for (const { name } of cluster.children) running.revivers.set(name, () => cluster.revive(name));
}

async function addRegistry(plan: Plan, running: Running, java: Java, app: string): Promise<void> {
  const { dataDirectory, ...rest } = plan;
  const { url, child } = await startRegistry({
    ...rest,
    java,
    app,
    cache: cacheFolder(plan.environment),
    ...(plan.keep ? { dataDirectory: join(dataDirectory, 'registry') } : {}),
  });
  running.registry = url;
  running.children.push(child);
}

/** Also used where Kafka and the registry come from elsewhere. */
export async function addPostgres(plan: Plan, running: Running): Promise<void> {
  const { url, child, clean, revive } = await startPostgresProcess({
    cache: cacheFolder(plan.environment),
    dataDirectory: join(plan.dataDirectory, 'postgres'),
    data: plan.keep ? 'kept' : 'throwaway',
    logDirectory: plan.logDirectory,
    environment: plan.environment,
    token: plan.token,
  });
  running.postgres = url;
  running.children.push(child);
  running.revivers.set(child.name, revive);
  running.afterwards.push(clean);
}
