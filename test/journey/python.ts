/** A Python with packages of others, in a virtual environment of the cache: Kafka and Avro clients, or what is asked for. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const SCRIPTS = join(import.meta.dirname, 'python');
const KAFKA_CLIENTS = join(SCRIPTS, 'requirements.txt');
const MAKE_MS_MAX = 120_000;
const INSTALL_MS_MAX = 240_000;
const SCRIPT_MS_MAX = 90_000;
const WORDS_MAX = 200;

export type Python = { readonly path: string } | { readonly missing: string };

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program to its end, or until its time is up. @throws where it cannot be started */
const run = (command: string, args: readonly string[], limitMs: number, input = ''): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { timeout: limitMs, killSignal: 'SIGKILL' });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    child.once('error', reject);
    child.once('close', code => resolve({ code, out, err }));
    // A program that has ended reads no more; its exit code tells why.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });

/** Why it ended as it did, in the last line that it said. */
export const lastWords = ({ code, err }: Ran): string =>
  code === null ? 'its time was up' : (err.trim().split('\n').at(-1) ?? '').slice(0, WORDS_MAX);

const cache = (): string => join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'millrace');

/**
 * What is there already, else what can be made; made aside and moved, so that half of one is never taken for one.
 * @param requirements file of pip, with the version of each package
 */
export const findPython = async (requirements = KAFKA_CLIENTS): Promise<Python> => {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(cache(), `python-${digest}`);
  const path = join(folder, 'bin/python3');
  if (existsSync(path)) return { path };
  const making = `${folder}.${process.pid}`;
  try {
    mkdirSync(cache(), { recursive: true });
    const made = await run('python3', ['-m', 'venv', making], MAKE_MS_MAX);
    if (made.code !== 0) return { missing: `python3 -m venv failed: ${lastWords(made)}` };
    const pip = ['-m', 'pip', 'install', '--quiet', '--only-binary=:all:', '--requirement', requirements];
    const installed = await run(join(making, 'bin/python3'), pip, INSTALL_MS_MAX);
    if (installed.code !== 0) return { missing: `pip install failed: ${lastWords(installed)}` };
    if (!existsSync(folder)) renameSync(making, folder);
    return { path };
  } catch (error) {
    return { missing: `python3 cannot be started: ${(error as NodeJS.ErrnoException).code ?? 'no code'}` };
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
};

/** Runs a script to its end, or until its time is up. @param file its path */
export const runFile = (
  path: string,
  file: string,
  options: Readonly<Record<string, string>>,
  limitMs: number,
  input = '',
): Promise<Ran> =>
  run(
    path,
    [file, ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])],
    limitMs,
    input,
  );

/** Lines that a script of `python/` prints. @throws with its last words where it fails */
export const runScript = async (
  path: string,
  script: string,
  options: Readonly<Record<string, string>>,
  input = '',
): Promise<readonly string[]> => {
  const ran = await runFile(path, join(SCRIPTS, script), options, SCRIPT_MS_MAX, input);
  if (ran.code !== 0) throw new Error(`${script} failed: ${lastWords(ran)}`);
  return ran.out.trim().split('\n');
};
