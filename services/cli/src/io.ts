import type { CommandIo } from '@millrace/runtime';

/** What a command may touch; handed in, so that commands can be tested. */
export type Io = CommandIo;

/** Exit codes of the command line; 130 where interrupted. */
export const EXIT = { done: 0, failed: 1, usage: 2, differences: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command was called wrongly: exit code 2, and the message says how it is called. */
export class UsageError extends Error {}

export type OutputForm = 'table' | 'json';

/** Text that came from outside, for a terminal: control characters are shown, and do nothing. */
export const printable = (text: string): string =>
  text.replaceAll(/\p{Cc}/gu, sign => `\\u${sign.codePointAt(0)!.toString(16).padStart(4, '0')}`);

/** Columns of a table, padded; numbers to the right. */
export const table = (
  header: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string[] => {
  const texts = rows.map(row => row.map(cell => printable(String(cell))));
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
