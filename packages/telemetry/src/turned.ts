import type { Clock } from './clock.ts';

/** A clock for tests: time stands still until it is turned. */
export interface TurnedClock extends Clock {
  /**
   * Moves time forward by milliseconds. Sleeps that fall due are ended in order of their time (then of their start),
   * each at its own `now`; what they set off runs before the next one ends, so that sleeps it starts are seen too.
   */
  turn(ms: number): Promise<void>;
}

interface Sleep {
  readonly dueMs: number;
  readonly wake: () => void;
}

// A full turn of the event loop: every promise that can go on has gone on by then.
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

/** @param startMs first `now()`, milliseconds since the epoch. */
export const turnedClock = (startMs = 0): TurnedClock => {
  const sleeps = new Set<Sleep>();
  let nowMs = startMs;

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const entry: Sleep = {
        dueMs: nowMs + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener('abort', stop);
          resolve();
        },
      };
      const stop = (): void => {
        sleeps.delete(entry);
        reject(signal!.reason as Error);
      };
      signal?.addEventListener('abort', stop, { once: true });
      sleeps.add(entry);
    });

  // A set keeps the order of insertion, so of equal times the one started first is found first.
  const nextDue = (untilMs: number): Sleep | undefined => {
    let next: Sleep | undefined;
    for (const one of sleeps)
      if (one.dueMs <= untilMs && (next === undefined || one.dueMs < next.dueMs)) next = one;
    return next;
  };

  const turn = async (ms: number): Promise<void> => {
    const untilMs = nowMs + ms;
    await settled();
    for (let next = nextDue(untilMs); next !== undefined; next = nextDue(untilMs)) {
      sleeps.delete(next);
      nowMs = Math.max(nowMs, next.dueMs);
      next.wake();
      await settled();
    }
    nowMs = Math.max(nowMs, untilMs);
  };

  return { now: () => nowMs, sleep, turn };
};
