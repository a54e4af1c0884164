import { type Clock, Elapsed } from '@millrace/telemetry';

export interface Retry {
  readonly clock: Clock;
  /** Which errors are tried again. */
  readonly again: (error: unknown) => boolean;
  /** No attempt begins later than this after the first one. */
  readonly forMs: number;
  readonly waitMsMin?: number;
  readonly waitMsMax?: number;
  readonly signal?: AbortSignal;
  /** Told before each wait. */
  readonly failed?: (error: unknown) => void | Promise<void>;
}

/** Calls until it succeeds, fails for good, or the time is over; waits double from `waitMsMin` (5) to `waitMsMax` (1,000). */
export const retrying = async <T>(call: () => Promise<T>, retry: Retry): Promise<T> => {
  const { clock, again, forMs, waitMsMin = 5, waitMsMax = 1_000, signal, failed } = retry;
  const elapsed = new Elapsed(clock.now());
  for (let waitMs = waitMsMin; ; waitMs = Math.min(waitMs * 2, waitMsMax)) {
    try {
      return await call();
    } catch (error) {
      if (!again(error) || elapsed.at(clock.now()) + waitMs > forMs || signal?.aborted === true) throw error;
      await failed?.(error);
      await clock.sleep(waitMs, signal);
    }
  }
};
