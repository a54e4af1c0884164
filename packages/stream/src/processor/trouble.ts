import { RefusedError } from '../broker/port.ts';

/**
 * Where errors come from, and who answers them. Bad data is a value and never comes here. A handler's own mistake
 * (`isOwnDefect`) is bound to the records it was given: the batch is halved until one record is alone, which becomes a
 * dead letter. A `ProgrammingError` breaks the processor's own rules, and no retry mends it: the process ends. So it does
 * where Kafka does not let us do what we must (`RefusedError`): fail closed, with the remedy. All else is a bad world: the task is thrown away and created again from what was committed, with backoff.
 */
export class ProgrammingError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ProgrammingError';
  }
}

/** A task has records to work on and has committed nothing for too long. */
export class StalledError extends Error {
  constructor(of: {
    readonly name: string;
    readonly task: number;
    readonly lag: number;
    readonly forMs: number;
    readonly what: string;
  }) {
    super(
      `${of.name}: task ${of.task} has ${of.lag} records to work on and has committed nothing for ` +
        `${Math.round(of.forMs / 1_000)} s: it waits for ${of.what}`,
    );
    this.name = 'StalledError';
  }
}

/** A record was rejected for a reason that must stop the process: nothing of it is committed. */
export class StoppedByRecord extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StoppedByRecord';
  }
}

/** State and offsets do not belong together: somebody moved one of them alone. */
export class StateMismatch extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StateMismatch';
  }
}

// A TypeError with a cause is how `fetch` reports a broken connection: a bad world.
export const isOwnDefect = (error: unknown): boolean =>
  (error instanceof TypeError ||
    error instanceof RangeError ||
    error instanceof ReferenceError ||
    error instanceof SyntaxError) &&
  error.cause === undefined;

export const cannotBeRetried = (error: unknown): boolean =>
  [ProgrammingError, StateMismatch, RefusedError, StoppedByRecord].some(kind => error instanceof kind);

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

/** Where it happened, without the message: a message may quote the record. */
export const placeOf = (error: unknown): string =>
  error instanceof Error
    ? [error.name, ...(error.stack ?? '').split('\n').filter(line => /^\s+at /u.test(line))]
        .slice(0, 6)
        .map(line => line.trim())
        .join(' ')
    : typeof error;
