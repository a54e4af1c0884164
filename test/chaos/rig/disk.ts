/** The file system under a run, filled to its last byte. */
import { statfsSync, writeSync, openSync, closeSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Larger ones are left alone: they are somebody's. */
const SMALL_BYTES_MAX = 2 * 1024 ** 3;
const STEPS = [1 << 20, 1 << 12, 1];

/** Why the folder's file system is not to be filled; undefined where it may be. */
export const notSmall = (directory: string): string | undefined => {
  const { bsize, blocks } = statfsSync(directory);
  const bytes = bsize * blocks;
  if (bytes <= SMALL_BYTES_MAX) return undefined;
  return `the file system of ${directory} has ${Math.round(bytes / 1024 ** 3)} GiB: it must be one of 2 GiB at most, such as a tmpfs (docs/FAULTS.md, A full disk)`;
};

export class Balloon {
  readonly #file: string;
  readonly #descriptor: number;

  constructor(directory: string) {
    this.#file = join(directory, 'balloon');
    this.#descriptor = openSync(this.#file, 'a');
  }

  /** Takes what is left. */
  blow(): void {
    for (const step of STEPS) {
      const bytes = Buffer.alloc(step);
      try {
        while (writeSync(this.#descriptor, bytes) === step);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }

  burst(): void {
    closeSync(this.#descriptor);
    rmSync(this.#file, { force: true });
  }
}
