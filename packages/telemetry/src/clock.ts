/** Clocks are handed in. Timers of a turned clock fire when it is turned. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after the time, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** What ends the sleeps of each signal. */
const sleepsOf = new WeakMap<AbortSignal, Set<() => void>>();

/** A signal has one listener for all of its sleeps: a service sleeps hundreds of times a second, nearly always to the end. */
const stopsOf = (signal: AbortSignal): Set<() => void> => {
  const known = sleepsOf.get(signal);
  if (known !== undefined) return known;
  const stops = new Set<() => void>();
  sleepsOf.set(signal, stops);
  const stopAll = (): void => {
    for (const stop of stops) stop();
  };
  signal.addEventListener('abort', stopAll, { once: true });
  return stops;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const stops = signal && stopsOf(signal);
      const timer = setTimeout(() => {
        stops?.delete(stop);
        resolve();
      }, ms);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal!.reason as Error);
      };
      stops?.add(stop);
    }),
};

/** Looks lie no further apart: what is more is a step of the clock. */
const STEP_MS_MAX = 60_000;

/** Time that goes by, by looks at a clock that may be set meanwhile: a step ahead counts for a minute at most, one back for nothing. */
export class Elapsed {
  #lastMs: number;
  #sumMs = 0;

  constructor(nowMs: number) {
    this.#lastMs = nowMs;
  }

  /** @returns milliseconds since the beginning */
  at(nowMs: number): number {
    this.#sumMs += Math.min(Math.max(nowMs - this.#lastMs, 0), STEP_MS_MAX);
    this.#lastMs = nowMs;
    return this.#sumMs;
  }
}
