/** A script of the judges, on the Python of the journeys: librdkafka and fastavro, nothing of ours. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findPython } from '../../journey/python.ts';

const SCRIPTS = join(import.meta.dirname, '../python');
/** Where `registry.py` lies. */
const SHARED = join(import.meta.dirname, '../../journey/python');
const WORDS_MAX = 600;

export interface Script {
  /** A line on its stdin; resolves when it may take more. */
  write(line: string): Promise<void>;
  /** Says that nothing more comes. */
  end(): void;
  /** Resolves when it has ended well. Rejects with its last words. */
  readonly ended: Promise<void>;
  kill(): void;
}

/** Where Python lies, and until when its scripts may run: what is interrupted leaves none behind. */
export interface Python {
  readonly path: string;
  readonly signal: AbortSignal;
}

export const openPython = async (signal: AbortSignal): Promise<Python> => {
  const python = await findPython();
  if ('missing' in python) throw new Error(`no judge: ${python.missing}`);
  return { path: python.path, signal };
};

export const startScript = (
  { path, signal }: Python,
  script: string,
  options: Readonly<Record<string, string>>,
  each: (line: string) => void,
): Script => {
  const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(path, [join(SCRIPTS, script), ...args], {
    env: { ...process.env, PYTHONPATH: SHARED, PYTHONUNBUFFERED: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
    killSignal: 'SIGKILL',
  });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-WORDS_MAX)));
  // A script that has ended reads no more; its exit code tells why.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout });
  lines.on('line', each);
  const read = new Promise<void>(resolve => lines.once('close', resolve));
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, by) => {
      if (code === 0) void read.then(resolve);
      else reject(new Error(`${script} ended with ${code ?? by}: ${words.trim()}`));
    });
  });
  ended.catch(() => undefined); // Whoever waits hears of it.
  return {
    write: line =>
      new Promise(resolve => {
        if (child.stdin.write(`${line}\n`)) resolve();
        else child.stdin.once('drain', resolve);
      }),
    end: () => child.stdin.end(),
    ended,
    kill: () => child.kill('SIGKILL'),
  };
};

/** Lines that a script gives, each parsed. */
export const linesOf = async <T>(
  python: Python,
  script: string,
  options: Readonly<Record<string, string>>,
): Promise<readonly T[]> => {
  const found: T[] = [];
  const running = startScript(python, script, options, line => found.push(JSON.parse(line) as T));
  running.end();
  await running.ended;
  return found;
};
