import { execFile, type ExecFileException } from 'node:child_process';

export interface CommandOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory?: string;
  readonly timeoutMs: number;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly input?: string;
  /** Called with each line as it comes, from both outputs. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  readonly code: number;
  readonly output: string;
}

const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** Runs a program that ends by itself. A code other than 0 is a result, not an exception; 127 means: not found. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  return new Promise(resolve => {
    const child = execFile(
      command,
      args,
      {
        cwd: options.workingDirectory,
        env: { ...options.environment },
        timeout: options.timeoutMs,
        maxBuffer: OUTPUT_BYTES_MAX,
        ...options.user,
      },
      (error, stdout, stderr) => resolve({ code: exitCode(error), output: stdout + stderr }),
    );
    const { onLine } = options;
    if (onLine) {
      for (const stream of [child.stdout, child.stderr]) {
        stream?.on('data', (chunk: string) => {
          for (const line of chunk.split('\n')) if (line.trim() !== '') onLine(line.trim());
        });
      }
    }
    child.stdin?.on('error', () => child.stdin?.destroy());
    child.stdin?.end(options.input ?? '');
  });
}

/** Runs a program that must succeed; the exception carries what it said. */
export async function mustRun(
  what: string,
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<string> {
  const { code, output } = await runCommand(command, args, options);
  if (code !== 0) throw new Error(`${what} failed with code ${code}:\n${output.slice(-3000)}`);
  return output;
}

function exitCode(error: ExecFileException | null): number {
  if (error === null) return 0;
  return typeof error.code === 'number' ? error.code : 127;
}
