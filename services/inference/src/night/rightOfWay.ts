import type { Admin } from '@millrace/stream';
import type { Clock, Metrics } from '@millrace/telemetry';

export interface RightOfWayOptions {
  /** Whose night waits. */
  readonly pipeline: string;
  readonly admin: Admin;
  /** Groups that go before us, and the topics that they read. */
  readonly groups: readonly { readonly group: string; readonly topics: readonly string[] }[];
  /** Records that they may be behind, all together; above it we wait until half of it is left. */
  readonly lagMax: number;
  /** Longest wait of a run, all waits together. */
  readonly waitMsTotalMax: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tell: (line: string) => void;
}

const POLL_MS = 500;

/**
 * Streaming has the right of way: while the groups of the stream are behind, a night stands still. Groups without members
 * read nothing, so nobody waits for them.
 */
export class RightOfWay {
  readonly #options: RightOfWayOptions;
  #open = Promise.withResolvers<void>();
  #closedAtMs: number | undefined;
  #waitedMs = 0;
  /** As far as the metric knows. */
  #countedMs = 0;

  constructor(options: RightOfWayOptions) {
    this.#options = options;
    this.#open.resolve();
    this.#measure();
  }

  get isClosed(): boolean {
    return this.#closedAtMs !== undefined;
  }

  get waitedMs(): number {
    const since = this.#closedAtMs;
    return this.#waitedMs + (since === undefined ? 0 : this.#options.clock.now() - since);
  }

  /** Resolves when nobody has to be let by, or the signal is aborted. */
  async mayGoOn(signal: AbortSignal): Promise<void> {
    while (this.isClosed && !signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const stop = (): void => resolve();
      signal.addEventListener('abort', stop, { once: true });
      await Promise.race([this.#open.promise, promise]);
      signal.removeEventListener('abort', stop);
    }
  }

  /** Looks until the signal is aborted. @throws Error where the stream was behind for longer than a run may wait */
  async watch(signal: AbortSignal): Promise<void> {
    const { clock, waitMsTotalMax } = this.#options;
    while (!signal.aborted) {
      await this.look();
      if (this.waitedMs > waitMsTotalMax)
        throw new Error(
          `the stream was behind for ${Math.round(this.waitedMs / 1000)} s in all: run it again later to go on from here`,
        );
      await clock.sleep(POLL_MS, signal).catch(() => undefined); // Aborted: the loop ends.
    }
  }

  /** Measures once, and opens or closes by it. */
  async look(): Promise<void> {
    const { pipeline, lagMax, clock, metrics, tell } = this.#options;
    const lag = await this.#lag();
    if (!this.isClosed && lag > lagMax) {
      this.#closedAtMs = clock.now();
      this.#open = Promise.withResolvers();
      metrics.count('millrace_night_yields_total', { pipeline });
      tell(`the stream is ${lag} records behind (more than ${lagMax}): the night waits`);
    } else if (this.isClosed && lag <= lagMax / 2) {
      this.#waitedMs = this.waitedMs;
      this.#closedAtMs = undefined;
      this.#open.resolve();
      tell(`the stream is ${lag} records behind: the night goes on`);
    }
    this.#measure();
  }

  #measure(): void {
    const { pipeline, metrics } = this.#options;
    metrics.set('millrace_night_yielding', { pipeline }, Number(this.isClosed));
    const { waitedMs } = this;
    metrics.count('millrace_night_yielded_seconds_total', { pipeline }, (waitedMs - this.#countedMs) / 1000);
    this.#countedMs = waitedMs;
  }

  async #lag(): Promise<number> {
    const lags = await Promise.all(this.#options.groups.map(({ group, topics }) => this.#lagOf(group, topics)));
    return lags.reduce((sum, lag) => sum + lag, 0);
  } // prettier-ignore

  async #lagOf(group: string, topics: readonly string[]): Promise<number> {
    const { admin } = this.#options;
    if ((await admin.groupMembers(group)) === 0) return 0;
    const committed = await admin.committed(group, topics);
    let lag = 0;
    for (const topic of topics) {
      const [starts, ends] = await Promise.all([admin.beginningOffsets(topic), admin.endOffsets(topic)]);
      for (const { partition, offset } of ends) {
        const isHere = (at: { topic: string; partition: number }): boolean =>
          at.topic === topic && at.partition === partition;
        lag += Math.max(0, offset - ((committed.find(isHere) ?? starts.find(isHere))?.offset ?? 0));
      }
    }
    return lag;
  }
}
