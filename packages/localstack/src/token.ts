import { createHash } from 'node:crypto';

/** A word for the command lines of one stack's guards. No other process has it, whichever has this one's pid after us. */
export function tokenFor(directory: string): string {
  const where = createHash('sha256').update(directory).digest('hex').slice(0, 8);
  return `millrace-${where}-${process.pid}-${Math.round(performance.timeOrigin)}`;
}
