/** What the feature processes hold in memory while they run: resident memory that no file stands behind. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@millrace/telemetry';
import type { ParityResult } from './compare.ts';

const LOOK_MS = 5_000;
/** Points of the curve that is reported. */
const POINTS = 12;

export interface MemorySample {
  readonly seconds: number;
  /** Of the process that holds most. */
  readonly mb: number;
}

const anonymousMb = (pid: number): number | undefined => {
  try {
    const kb = /RssAnon:\s+(\d+)/u.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kb === undefined ? undefined : Math.round(Number(kb) / 1024);
  } catch {
    return undefined; // Killed just now, or no Linux.
  }
};

/** Looks until the signal is aborted; the list grows meanwhile. */
export const watchMemory = (
  pids: () => readonly number[],
  clock: Clock,
  signal: AbortSignal,
): readonly MemorySample[] => {
  const samples: MemorySample[] = [];
  const startedMs = clock.now();
  const watch = async (): Promise<void> => {
    while (!signal.aborted) {
      const held = pids().flatMap(pid => anonymousMb(pid) ?? []);
      if (held.length > 0)
        samples.push({ seconds: Math.round((clock.now() - startedMs) / 1000), mb: Math.max(...held) });
      await clock.sleep(LOOK_MS, signal);
    }
  };
  watch().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return samples;
};

const BLOCK_BYTES = 512;

/** What the files of state take on disk, holes left out; null without any. */
const diskMbOf = (directory: string): number | null => {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const files = names.filter(name => name.endsWith('.mdb'));
  const bytes = files.reduce((sum, name) => sum + statSync(join(directory, name)).blocks * BLOCK_BYTES, 0);
  return files.length === 0 ? null : Math.round(bytes / 1_048_576);
};

/** The most that was seen, and a curve of a few points: the most in each stretch of equal length. */
export const memoryOf = (samples: readonly MemorySample[], directory: string): ParityResult['memory'] => {
  if (samples.length === 0) return null;
  const perPoint = Math.ceil(samples.length / POINTS);
  const curve: MemorySample[] = [];
  for (let at = 0; at < samples.length; at += perPoint) {
    const some = samples.slice(at, at + perPoint);
    curve.push({ seconds: some.at(-1)!.seconds, mb: Math.max(...some.map(({ mb }) => mb)) });
  }
  return { mbMax: Math.max(...samples.map(({ mb }) => mb)), curve, diskMb: diskMbOf(directory) };
};
