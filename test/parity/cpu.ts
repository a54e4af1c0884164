import { existsSync, readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its kernel's own tick. */
const TICKS_PER_SECOND = 100;

/** User and system seconds of a process with all its threads; undefined where there is no `/proc`, or no such process. */
export const cpuSeconds = (pid: number): number | undefined => {
  const file = `/proc/${pid}/stat`;
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  // The second field is the program's name in brackets, and may hold spaces.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};
