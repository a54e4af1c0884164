import type { Readable } from 'node:stream';

/** What a command may touch of the terminal and the machine; handed in, so that commands can be tested. */
export interface Io {
  /** A line of data, on stdout. */
  out(line: string): void;
  /** A line of progress, on stderr. */
  say(line: string): void;
  readonly stdin: Readable;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  /** Whether stderr is a terminal that may be coloured and rewritten. */
  readonly interactive: boolean;
  /** Writes text to the terminal as it is, for lines that are rewritten; nothing where it is not interactive. */
  rewrite(text: string): void;
}

/** Exit codes of the command line; 130 where interrupted. */
export const EXIT = { done: 0, failed: 1, usage: 2, differences: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was called wrongly: exit code 2, and the message says how it is called. */
export class UsageError extends Error {}

export type OutputForm = 'table' | 'json';

/** Columns of a table, padded; numbers to the right. */
export const table = (
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] => {
  const texts = rows.map(row => row.map(String));
  const widths = header.map((name, i) => Math.max(name.length, ...texts.map(row => row[i]!.length)));
  const line = (cells: readonly string[], like?: readonly (string | number)[]): string =>
    cells
      .map((cell, i) => (typeof like?.[i] === 'number' ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  return [
    line(header),
    line(widths.map(width => '-'.repeat(width))),
    ...texts.map((row, i) => line(row, rows[i])),
  ];
};
