/** Lines that could not be used, kept as NDJSON with what is wrong with them; the file is made with the first of them. */
import { type FileHandle, open } from 'node:fs/promises';
import type { Refused } from './portfolioRow.ts';

export interface RejectsFile {
  write(file: string, line: number, refused: Refused, text: string): Promise<void>;
  /** How many of each reason. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly count: number;
  close(): Promise<void>;
}

/** Lines hold personal data: whoever runs it may read them, nobody else. */
const OWNER_ONLY = 0o600;

export const rejectsFile = (path: string): RejectsFile => {
  let handle: FileHandle | undefined;
  const reasons: Record<string, number> = {};
  let count = 0;
  return {
    write: async (file, line, { reason, message }, text) => {
      handle ??= await open(path, 'w', OWNER_ONLY);
      await handle.write(`${JSON.stringify({ file, line, reason, message, text })}\n`);
      reasons[reason] = (reasons[reason] ?? 0) + 1;
      count++;
    },
    reasons,
    get count() {
      return count;
    },
    close: async () => handle?.close(),
  };
};
