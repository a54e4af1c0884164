import { renameSync, writeFileSync } from 'node:fs';

/** Writes metrics for the textfile collector of Prometheus' node exporter, which must never read half a file. */
export const writeTextfile = (file: string, text: string): void => {
  const half = `${file}.half`;
  writeFileSync(half, text);
  renameSync(half, file);
};
