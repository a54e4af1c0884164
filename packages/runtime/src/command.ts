import type { Readable } from 'node:stream';

/** What a command may touch of the terminal and the machine. */
export interface CommandIo {
  /** A line of data, on stdout. */
  out(line: string): void;
  /** A line of progress, on stderr. */
  say(line: string): void;
  /** Text to the terminal as it is, for lines that are rewritten; nothing where stderr is no terminal. */
  rewrite(text: string): void;
  readonly stdin: Readable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Whether stderr is a terminal that may be rewritten. */
  readonly interactive: boolean;
}

const INTERRUPTED = 130;

/**
 * The life of a command: runs it to its end, or until SIGINT or SIGTERM aborts its signal, and ends the process with its
 * exit code, 130 when interrupted. A second signal ends it at once.
 */
export const runCommand = async (
  run: (argv: readonly string[], io: CommandIo) => Promise<number>,
): Promise<void> => {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(INTERRUPTED);
      interrupt.abort(new Error('interrupted'));
    });
  // A reader that has seen enough (`| head`) closes the pipe; that is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') interrupt.abort(new Error('nobody reads on'));
    else throw error;
  });
  const interactive = process.stderr.isTTY && process.env['TERM'] !== 'dumb';
  const io: CommandIo = {
    out: line => void process.stdout.write(`${line}\n`),
    say: line => void process.stderr.write(`${line}\n`),
    rewrite: text => void (interactive && process.stderr.write(text)),
    stdin: process.stdin,
    environment: process.env,
    signal: interrupt.signal,
    interactive,
  };
  let code: number;
  try {
    code = await run(process.argv.slice(2), io);
  } catch (error) {
    code = 1;
    if (!interrupt.signal.aborted) io.say(error instanceof Error ? `error: ${error.message}` : 'error');
  }
  // Data may still be on its way into a pipe.
  await new Promise<void>(resolve => process.stdout.write('', () => resolve()));
  process.exit(interrupt.signal.aborted && code !== 0 ? INTERRUPTED : code);
};
