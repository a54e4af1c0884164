import { type Clock, Elapsed, type Logger, type Metrics, noLogger, noMetrics } from '@millrace/telemetry';

/** Outside of ourselves: what a process cannot do without, and does not end for. */
export type Dependency = 'kafka' | 'registry' | 'database';

export interface OutageOptions {
  readonly dependency: Dependency;
  readonly clock: Clock;
  readonly logger?: Logger;
  readonly metrics?: Metrics;
}

export interface RideOptions {
  readonly signal: AbortSignal;
  /** No attempt begins later than this after the first one. Default: none, as long as it takes. */
  readonly waitMsTotalMax?: number;
}

const NAMES: Readonly<Record<Dependency, string>> = {
  kafka: 'Kafka',
  registry: 'the schema registry',
  database: 'the database',
};
/** Longest wait of a start for a dependency; then the process ends with the reason, for the platform to see. */
export const START_WAIT_MS_MAX = 600_000;
const WAIT_MS_FIRST = 100;
const WAIT_MS_MAX = 2_000;

/** Errors of an absent world say so themselves: the same call may succeed later. */
export const isRetriable = (error: unknown): error is Error =>
  error instanceof Error && 'retriable' in error && error.retriable === true;

/**
 * One dependency, as all of its users in a process see it: answering, or away since a moment. Who rides an outage out
 * repeats its call until it is answered. However many ride, it is said once that the dependency is away, once that it
 * answers again, and readiness and a gauge tell of it in between.
 */
export class Outage {
  readonly #options: OutageOptions;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  #since: { readonly ms: number; readonly message: string } | undefined;

  constructor(options: OutageOptions) {
    this.#options = options;
    this.#logger = options.logger ?? noLogger;
    this.#metrics = options.metrics ?? noMetrics;
    this.#metrics.set('millrace_dependency_away', { dependency: options.dependency }, 0);
  }

  /** For readiness. */
  notReady(): string | undefined {
    if (this.#since === undefined) return undefined;
    const { dependency, clock } = this.#options;
    const seconds = Math.round((clock.now() - this.#since.ms) / 1_000);
    return `waits for ${NAMES[dependency]}, for ${seconds} s by now: ${this.#since.message}`;
  }

  /** @throws what is no outage at once, the last error when the time is over, the signal's reason when it is aborted */
  async ride<T>(call: () => Promise<T>, { signal, waitMsTotalMax = Infinity }: RideOptions): Promise<T> {
    const { dependency, clock } = this.#options;
    const elapsed = new Elapsed(clock.now());
    for (let waitMs = WAIT_MS_FIRST; ; waitMs = Math.min(waitMs * 2, WAIT_MS_MAX)) {
      try {
        const answer = await call();
        this.#answers();
        return answer;
      } catch (error) {
        if (!isRetriable(error) || elapsed.at(clock.now()) + waitMs > waitMsTotalMax) throw error;
        this.#isAway(error);
      }
      this.#metrics.count('millrace_retries_total', { what: dependency });
      await clock.sleep(waitMs, signal);
    }
  }

  #isAway({ message }: Error): void {
    if (this.#since !== undefined) return;
    const { dependency, clock } = this.#options;
    this.#since = { ms: clock.now(), message };
    this.#metrics.set('millrace_dependency_away', { dependency }, 1);
    this.#logger.warn({ dependency, reason: message }, `${NAMES[dependency]} is away: what needs it waits`);
  }

  #answers(): void {
    if (this.#since === undefined) return;
    const { dependency, clock } = this.#options;
    const seconds = (clock.now() - this.#since.ms) / 1_000;
    this.#since = undefined;
    this.#metrics.set('millrace_dependency_away', { dependency }, 0);
    this.#logger.info({ dependency, seconds }, `${NAMES[dependency]} answers again: the work goes on`);
  }
}
