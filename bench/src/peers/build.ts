/** Builds the peers once, in the cache: what is in `bench/peers` decides the folder's name. */
import { execFile } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, findJava, preparedOnce } from '@millrace/localstack';

const SOURCES = join(import.meta.dirname, '../../peers');
export const PYTHON_SCRIPTS = join(SOURCES, 'python');
const REQUIREMENTS = join(PYTHON_SCRIPTS, 'requirements.txt');
/** Downloads are in it. */
const BUILD_MS_MAX = 900_000;
const WORDS_MAX = 300;

const run = promisify(execFile);

export type Environment = Readonly<Record<string, string | undefined>>;

export interface BuildOptions {
  readonly environment: Environment;
  readonly say: (line: string) => void;
}

const filesUnder = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .sort();

/** A program to its end. @throws Error with its last words */
const finish = async (command: string, args: readonly string[], environment: Environment): Promise<void> => {
  try {
    await run(command, args, { env: { ...environment }, timeout: BUILD_MS_MAX });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { readonly stdout?: string; readonly stderr?: string };
    const words = `${stdout}\n${stderr}`.split('\n').filter(line => line.includes('ERROR'));
    const last = (words[0] ?? (error as Error).message).slice(0, WORDS_MAX).trim();
    throw new Error(`${command} failed: ${last}`, { cause: error });
  }
};

/** The programs of a module of `java/`, with what they need: a class path. */
export const javaClassPath = async (
  module: 'clients' | 'flink',
  { environment, say }: BuildOptions,
): Promise<string> => {
  const sources = join(SOURCES, 'java');
  const built = cacheFolder(environment, [
    module,
    ...filesUnder(sources).map(path => readFileSync(path, 'utf8')),
  ]);
  const folder = await preparedOnce(built, async draft => {
    say(`building the peers in Java (${module}), once`);
    cpSync(sources, draft, { recursive: true });
    const file = join(draft, 'pom.xml');
    await finish('mvn', ['-q', '-B', '-f', file, '-pl', module, '-am', 'package'], environment);
  });
  const target = join(folder, module, 'target');
  return `${join(target, `${module}-1.jar`)}:${join(target, 'lib')}/*`;
};

/** @throws Error where there is none */
export const javaCommand = async ({ environment }: BuildOptions): Promise<string> => {
  const java = await findJava(environment);
  if (typeof java === 'string') throw new Error(java);
  return java.command;
};

/** A Python with the clients and the engine of others. */
export const pythonCommand = async ({ environment, say }: BuildOptions): Promise<string> => {
  const made = cacheFolder(environment, ['python', readFileSync(REQUIREMENTS, 'utf8')]);
  const folder = await preparedOnce(made, async draft => {
    say('making an environment of Python, once');
    const python = join(draft, 'bin/python3');
    await finish('python3', ['-m', 'venv', draft], environment);
    const install = ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', '--requirement', REQUIREMENTS];
    await finish(python, install, environment);
  });
  return join(folder, 'bin/python3');
};
