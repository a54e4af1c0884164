/**
 * Runs a target over inputs that a seed decides, and judges: nothing thrown, no input that keeps the thread longer than
 * allowed, no memory that grows. Times are told apart from the machine's noise: an input that seemed slow is run again,
 * and the least CPU time of this thread counts, not the clock on the wall.
 */
import { performance } from 'node:perf_hooks';
import { inputOf } from './mutate.ts';
import type { Target } from './target.ts';

export const STALL_MS_MAX = 50;
const REPEATS = 4;
/** The heap is looked at so often in a run, each time after a collection. */
const LOOKS = 20;
const GROWTH_MB_MAX = 16;
const MB = 1 << 20;

export interface Extent {
  readonly seed: number;
  readonly from: number;
  /** Inputs, or time, whichever is given. */
  readonly inputs?: number;
  readonly ms?: number;
  /** Longest that one input may keep the thread; Infinity where times are not to be judged. */
  readonly stallMsMax?: number;
}

export interface Found {
  readonly index: number;
  readonly what: string;
}

export interface Ran {
  readonly inputs: number;
  readonly megabytes: number;
  /** Of the input that took longest, among those that seemed slow; 0 where none did. */
  readonly cpuMsWorst: number;
  /** Of the heap after collections: how much more at the end than soon after the begin. */
  readonly growthMb: number;
  readonly found: readonly Found[];
}

const FOUND_MAX = 10;

const cpuMs = async (target: Target, input: Uint8Array): Promise<number> => {
  const before = process.threadCpuUsage();
  await target.run(input);
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1_000;
};

/** The least of several runs: what the input itself costs. */
const leastCpuMs = async (target: Target, input: Uint8Array): Promise<number> => {
  let least = Infinity;
  for (let i = 0; i < REPEATS; i++) least = Math.min(least, await cpuMs(target, input));
  return least;
};

/** Where garbage cannot be collected at will, the heap tells nothing. */
const heapMb = (): number => {
  const { gc } = globalThis as { gc?: () => void };
  gc?.();
  return gc === undefined ? 0 : process.memoryUsage().heapUsed / MB;
};

const growthOf = (looks: readonly number[]): number => {
  if (looks.length < LOOKS) return 0;
  const soonAfter = Math.max(...looks.slice(2, 6));
  return Math.max(0, Math.min(...looks.slice(-4)) - soonAfter);
};

/** What an error says of itself and where it came from; never more than a few lines. */
const told = (error: unknown): string =>
  error instanceof Error
    ? [error.message, ...(error.stack ?? '').split('\n').filter(line => /^\s+at /.test(line)).slice(0, 3)].join(' ').slice(0, 500)
    : String(error); // prettier-ignore

export const runTarget = async (
  target: Target,
  extent: Extent,
  progress: (inputs: number) => void = () => undefined,
): Promise<Ran> => {
  const { seed, from, inputs: inputsMax = Infinity, ms = Infinity, stallMsMax = STALL_MS_MAX } = extent;
  const beganMs = performance.now();
  const looks: number[] = [];
  const found: Found[] = [];
  let [inputs, bytes, cpuMsWorst] = [0, 0, 0];
  for (; inputs < inputsMax && found.length < FOUND_MAX; inputs++) {
    const spentMs = performance.now() - beganMs;
    if (spentMs >= ms) break;
    const share = ms === Infinity ? inputs / inputsMax : spentMs / ms;
    if (share * LOOKS >= looks.length) {
      looks.push(heapMb());
      progress(inputs);
    }
    const index = from + inputs;
    const input = inputOf(target, seed, index);
    bytes += input.length;
    try {
      const startMs = performance.now();
      await target.run(input);
      if (performance.now() - startMs <= stallMsMax) continue;
      const least = await leastCpuMs(target, input);
      cpuMsWorst = Math.max(cpuMsWorst, least);
      if (least > stallMsMax) found.push({ index, what: `it keeps the thread for ${least.toFixed(0)} ms` });
    } catch (error) {
      found.push({ index, what: told(error) });
    }
  }
  const growthMb = growthOf([...looks, heapMb()]);
  if (growthMb > GROWTH_MB_MAX)
    found.push({ index: from, what: `the heap has grown by ${growthMb.toFixed(0)} MB` });
  return { inputs, megabytes: bytes / MB, cpuMsWorst, growthMb, found };
};
