import type { Clock, Logger, Metrics } from '@millrace/telemetry';
import { BrokerError } from '../broker/port.ts';

/** Kafka, or a part of it, does not answer for now: nobody's defect, and the same call may succeed later. */
export const isAbsence = (error: unknown): error is BrokerError =>
  error instanceof BrokerError && error.retriable;

const DEPENDENCY = { dependency: 'kafka' };

/**
 * Kafka, as those who work in one process miss it. However many miss it, however often they ask, it is said once that it
 * is away and once that it answers again; readiness and a gauge tell of it in between.
 */
export class Absence {
  readonly #of: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics };
  readonly #missedBy = new Set<number>();
  #sinceMs = 0;
  #message = '';

  constructor(of: { readonly clock: Clock; readonly logger: Logger; readonly metrics: Metrics }) {
    this.#of = of;
  }

  /** For readiness. */
  notReady(): string | undefined {
    if (this.#missedBy.size === 0) return undefined;
    return `waits for Kafka, for ${Math.round(this.#seconds())} s by now: ${this.#message}`;
  }

  /** @param task who misses it */
  isMissedBy(task: number, { message }: Error): void {
    const { clock, logger, metrics } = this.#of;
    this.#message = message;
    if (this.#missedBy.size === 0) {
      this.#sinceMs = clock.now();
      metrics.set('millrace_dependency_away', DEPENDENCY, 1);
      logger.warn({ ...DEPENDENCY, task, reason: message }, 'Kafka is away: what needs it waits');
    }
    this.#missedBy.add(task);
  }

  /** It has answered this one, or this one does not ask any more. */
  isOverFor(task: number): void {
    if (!this.#missedBy.delete(task) || this.#missedBy.size > 0) return;
    const { logger, metrics } = this.#of;
    metrics.set('millrace_dependency_away', DEPENDENCY, 0);
    logger.info({ ...DEPENDENCY, seconds: this.#seconds() }, 'Kafka answers again: the work goes on');
  }

  #seconds(): number {
    return (this.#of.clock.now() - this.#sinceMs) / 1_000;
  }
}
