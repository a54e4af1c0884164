import { type Clock, type Logger, noLogger, systemClock } from '@millrace/telemetry';
import type { Component } from './component.ts';
import type { Readiness } from './readiness.ts';

export const STOP_DEADLINE_MS = 10_000;

export interface StartOptions {
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** Learns which parts there are, which have started, and when draining begins. */
  readonly readiness?: Readiness;
}

/** Parts that run. */
export interface Running {
  /** Rejects with the first failure of a part after its start. Never resolves. */
  readonly failed: Promise<never>;
  /**
   * Stops the parts in reverse order; together they have the deadline (milliseconds from now). Safe twice: the second
   * call waits for the first. @throws AggregateError when parts failed to stop, after the others were stopped
   */
  stop(deadlineMs?: number): Promise<void>;
}

/** The time it takes at most: a part that hangs does not keep the others from being stopped. */
const within = async (work: Promise<void>, ms: number, what: string, clock: Clock): Promise<void> => {
  const done = new AbortController();
  const late = clock.sleep(ms, done.signal).then(
    () => {
      throw new Error(`${what} did not stop within its deadline`);
    },
    () => undefined,
  );
  try {
    await Promise.race([work, late]);
  } finally {
    done.abort();
  }
};

/** Stops in reverse; a part is given what is left of the deadline, and at least a little. */
export const stopAll = async (
  parts: readonly Component[],
  deadlineMs = STOP_DEADLINE_MS,
  { logger = noLogger, clock = systemClock, readiness }: StartOptions = {},
): Promise<void> => {
  readiness?.drain();
  const endMs = clock.now() + deadlineMs;
  const errors: unknown[] = [];
  for (const part of parts.toReversed()) {
    const leftMs = Math.max(100, endMs - clock.now());
    try {
      await within(part.stop(leftMs), leftMs, part.name, clock);
      logger.debug({ part: part.name }, 'stopped');
    } catch (error) {
      logger.error({ part: part.name, err: error }, 'part failed to stop');
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, 'not every part stopped');
};

const firstFailure = (parts: readonly Component[]): Promise<never> => {
  const failed = new Promise<never>((_, reject) => {
    for (const part of parts)
      part.failed?.catch((cause: unknown) => reject(new Error(`${part.name} failed`, { cause })));
  });
  // Whoever runs the parts may look at it later; until then it is not an unhandled rejection.
  failed.catch(() => undefined);
  return failed;
};

/**
 * Starts the parts in order. When one fails to start, or the signal is aborted, those that were begun are stopped again.
 * @throws what the failing part threw
 */
export const startAll = async (
  parts: readonly Component[],
  signal: AbortSignal = new AbortController().signal,
  options: StartOptions = {},
): Promise<Running> => {
  const { logger = noLogger, readiness } = options;
  readiness?.expect(parts);
  const begun: Component[] = [];
  try {
    for (const part of parts) {
      signal.throwIfAborted();
      begun.push(part);
      await part.start(signal);
      readiness?.started(part);
      logger.debug({ part: part.name }, 'started');
    }
  } catch (error) {
    // Why the start failed matters more than what then failed to stop, which stopAll has logged.
    await stopAll(begun, STOP_DEADLINE_MS, options).catch(() => undefined);
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    failed: firstFailure(parts),
    stop: (deadlineMs = STOP_DEADLINE_MS) => (stopping ??= stopAll(parts, deadlineMs, options)),
  };
};
