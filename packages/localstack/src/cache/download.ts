import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { mustRun } from '../children/command.ts';
import { exists, preparedOnce } from './folder.ts';
import { LOCK } from './lock.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const DOWNLOAD_TIMEOUT_MS = 15 * 60_000;

export interface DownloadOptions {
  readonly cache: string;
  readonly environment: Environment;
  readonly onProgress: (line: string) => void;
}

/** The folder with Kafka's jars, downloaded by the user's own Maven with the user's own settings. */
export function kafkaJars(options: DownloadOptions): Promise<string> {
  return preparedOnce(join(options.cache, 'kafka'), async into => {
    const work = `${into}.maven`;
    await mkdir(work, { recursive: true });
    await writeFile(join(work, 'pom.xml'), pom());
    await maven('Kafka', 'copy-dependencies', ['-DincludeScope=runtime', `-DoutputDirectory=${into}`], {
      ...options,
      work,
    });
    await rm(work, { recursive: true, force: true });
    await mustMatch(into, LOCK.kafka.sha256);
  });
}

/** The folder with the unpacked registry. */
export function registryApp(options: DownloadOptions): Promise<string> {
  return preparedOnce(join(options.cache, 'registry'), async into => {
    const work = `${into}.maven`;
    await mkdir(work, { recursive: true });
    const args = [`-Dartifact=${LOCK.registry.artifact}`, `-DoutputDirectory=${work}`];
    await maven('Apicurio Registry', 'copy', args, { ...options, work });
    await mustMatch(work, LOCK.registry.sha256);
    const [archive] = Object.keys(LOCK.registry.sha256);
    await mustRun('unpacking the registry', 'tar', ['xzf', join(work, archive!), '-C', into], {
      environment: options.environment,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    });
    await rm(work, { recursive: true, force: true });
  });
}

export async function isDownloaded(cache: string): Promise<boolean> {
  return (await exists(join(cache, 'kafka'))) && (await exists(join(cache, 'registry')));
}

/** Maven's lines that tell a person how far it is, in our words; undefined for the rest. */
export function downloadProgress(what: string, line: string): string | undefined {
  const found = /Downloaded(?: from \S+)?: \S*\/(\S+\.(?:jar|tar\.gz)) \(([^)]*)\)/.exec(line);
  return found ? `${what}: ${found[1]} (${found[2]})` : undefined;
}

async function maven(
  what: string,
  goal: string,
  args: readonly string[],
  options: DownloadOptions & { readonly work: string },
): Promise<void> {
  options.onProgress(`${what}: downloading with Maven, once`);
  await mustRun(`downloading ${what}`, 'mvn', ['-B', `${LOCK.mavenPlugin}:${goal}`, ...args], {
    environment: options.environment,
    workingDirectory: options.work,
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
    onLine: line => {
      const progress = downloadProgress(what, line);
      if (progress !== undefined) options.onProgress(progress);
    },
  });
}

function pom(): string {
  const dependencies = LOCK.kafka.coordinates.map(
    ({ group, artifact, version }) =>
      `    <dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`,
  );
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>localstack</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
${dependencies.join('\n')}
  </dependencies>
</project>
`;
}

/** Throws unless the folder holds exactly the expected files with the expected contents. */
export async function mustMatch(folder: string, expected: Readonly<Record<string, string>>): Promise<void> {
  const archives = (await readdir(folder)).filter(name => /\.(jar|tar\.gz)$/.test(name));
  const strangers = archives.filter(name => !(name in expected));
  const missing = Object.keys(expected).filter(name => !archives.includes(name));
  const changed: string[] = [];
  for (const name of archives) {
    if (name in expected && (await sha256(join(folder, name))) !== expected[name]) changed.push(name);
  }
  if (strangers.length + missing.length + changed.length > 0) {
    throw new Error(
      `the download is not what the lock names: changed [${changed.join()}], missing [${missing.join()}], unexpected [${strangers.join()}]`,
    );
  }
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
