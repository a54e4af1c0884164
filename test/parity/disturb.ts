/** What goes wrong on purpose while parity is measured, from a seed. */
import type { Clock } from '@millrace/telemetry';

/** Whole number in [0, n). */
export type Dice = (n: number) => number;

/** A seeded generator (mulberry32). */
export const diceOf = (seed: number): Dice => {
  let state = seed >>> 0;
  return n => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  };
};

/** Of what is published, in percent, that comes a second time. */
export const DUPLICATES_PERCENT = 5;
const KILL_AFTER_MS_MIN = 20_000;
const KILL_AFTER_MS_MAX = 40_000;

export interface Kills {
  readonly count: number;
}

/** Kills a process of those that run, without a word, at random times 20 to 40 s apart, until the signal is aborted. */
export const killAtRandom = (
  pids: () => readonly number[],
  dice: Dice,
  clock: Clock,
  signal: AbortSignal,
): Kills => {
  const kills = { count: 0 };
  const kill = (pid: number): void => {
    try {
      process.kill(pid, 'SIGKILL');
      kills.count++;
    } catch (error) {
      // One that has just ended, and is being started again, is none to kill.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };
  const run = async (): Promise<void> => {
    while (!signal.aborted) {
      await clock.sleep(KILL_AFTER_MS_MIN + dice(KILL_AFTER_MS_MAX - KILL_AFTER_MS_MIN), signal);
      const running = pids();
      kill(running[dice(running.length)]!);
    }
  };
  run().catch((error: unknown) => {
    if (!signal.aborted) throw error;
  });
  return kills;
};
