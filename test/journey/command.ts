/** The command line as a person or a script has it: a process of its own, with the stack's addresses around it. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { stackAddresses } from '../jest/stack.ts';

const ROOT = join(import.meta.dirname, '../..');
const COMMAND_MS_MAX = 90_000;

export interface Ran {
  readonly code: number | null;
  /** Lines of stdout. */
  readonly lines: readonly string[];
  readonly said: string; // stderr
}

/** A program of the repository with the stack's addresses around it. */
export const program = (
  file: string,
  args: readonly string[],
  limitMs = COMMAND_MS_MAX,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> =>
  new Promise((resolve, reject) => {
    const { kafka, registry, postgres } = stackAddresses();
    const child = spawn(process.execPath, [join(ROOT, file), ...args], {
      env: {
        ...process.env,
        KAFKA_BOOTSTRAP_SERVERS: kafka,
        SCHEMA_REGISTRY_URL: registry,
        DATABASE_URL: postgres,
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: limitMs,
    });
    let out = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('error', reject);
    child.once('close', code => resolve({ code, lines: out.trimEnd().split('\n'), said }));
  });

/**
 * @param line words between single spaces
 * @param environment beside that of this process and the stack's addresses
 */
export const millrace = (line: string, environment: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  program('services/cli/src/main.ts', line.split(' '), COMMAND_MS_MAX, environment);

export const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
};
