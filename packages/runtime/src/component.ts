/**
 * The life of every part: created, started, run, stopped. Parts start in order and stop in reverse.
 * `stop` is safe twice, and before `start`.
 */
export interface Component {
  readonly name: string;
  start(signal: AbortSignal): Promise<void>;
  /** Stops within the deadline (milliseconds from now); what is not done by then is given up, never half committed. */
  stop(deadlineMs: number): Promise<void>;
  /** Why this part is not ready, or undefined when it is. */
  notReady?(): string | undefined;
  /** Settles (rejecting) when the part fails after its start: the process ends with a non-zero code. */
  readonly failed?: Promise<never>;
}
