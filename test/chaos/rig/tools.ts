/** Kafka's own command line tools; the local stack has their libraries, the tools themselves are fetched once. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, findJava } from '@millrace/localstack';

const run = promisify(execFile);
const ARTIFACT = 'org.apache.kafka:kafka-tools:4.2.0';
const FILE = 'kafka-tools-4.2.0.jar';
const SHA256 = '6b88f3f0799c585b5121d9f710e448cd365d4cfd55ff3ab5d2d81f52ae59030d';
const FETCH_MS_MAX = 180_000;
const RUN_MS_MAX = 90_000;

const fetched = async (): Promise<string> => {
  const folder = join(dirname(cacheFolder(process.env)), 'kafka-tools-4.2.0');
  const file = join(folder, FILE);
  if (!existsSync(file)) {
    const draft = `${folder}.${process.pid}`;
    try {
      mkdirSync(draft, { recursive: true });
      const copy = ['-B', '-q', 'dependency:copy', `-Dartifact=${ARTIFACT}`, `-DoutputDirectory=${draft}`];
      await run('mvn', copy, { cwd: draft, timeout: FETCH_MS_MAX });
      if (!existsSync(folder)) renameSync(draft, folder);
    } finally {
      rmSync(draft, { recursive: true, force: true });
    }
  }
  if (createHash('sha256').update(readFileSync(file)).digest('hex') !== SHA256)
    throw new Error(`${file} is not the file that it should be: remove it`);
  return file;
};

/** Runs a tool by the name of its class, until the signal at most. @returns what it says */
export const kafkaTool = async (
  name: string,
  args: readonly string[],
  signal?: AbortSignal,
): Promise<string> => {
  const java = await findJava(process.env);
  if (typeof java === 'string') throw new Error(java);
  const jars = join(cacheFolder(process.env), 'kafka', '*');
  const machine = ['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
  const said = await run(java.command, [...machine, '-cp', `${jars}:${await fetched()}`, name, ...args], {
    timeout: RUN_MS_MAX,
    killSignal: 'SIGKILL',
    ...(signal && { signal }),
  });
  return said.stdout;
};
