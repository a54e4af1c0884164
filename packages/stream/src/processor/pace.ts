import type { Clock } from '@millrace/telemetry';
import { Committer } from './committer.ts';
import type { CommitSize } from './commitSize.ts';

export interface Paced {
  readonly size: CommitSize;
  /** Whether records count once they are acknowledged, so that they need not wait for the commit of their offsets. */
  readonly sendsAhead: boolean;
  send(): Promise<boolean>;
  commit(): Promise<boolean>;
}

export interface PaceOf {
  readonly clock: Clock;
  readonly intervalMs: number;
  readonly shipping: Paced;
  /** Whether the task has answered everything that it was given. */
  readonly isIdle: () => boolean;
  readonly failed: (error: unknown) => void;
}

/** Longest that an acknowledged kind of output waits for others while its task has more at hand. */
const GATHER_MS_MAX = 20;

/**
 * When a task sends, and when it commits. The interval of commits ends for all tasks at the same time: what they commit goes
 * together then. Where outputs count only with their commit, sending is a part of it. Where they count once they are
 * acknowledged, they leave as soon as the task has nothing else at hand (while it has, they wait a little for others), and
 * only offsets wait.
 */
export class Pace {
  readonly #of: PaceOf;
  readonly #commits: Committer;
  readonly #sends: Committer | undefined;

  constructor(of: PaceOf) {
    this.#of = of;
    const { clock, intervalMs, shipping, failed } = of;
    const marks = shipping.size;
    this.#commits = new Committer(
      clock,
      { intervalMs, marks, onGrid: true },
      () => shipping.commit(),
      failed,
    );
    if (shipping.sendsAhead)
      this.#sends = new Committer(
        clock,
        { intervalMs: Math.min(GATHER_MS_MAX, intervalMs), marks },
        () => shipping.send(),
        failed,
      );
  }

  get isSending(): boolean {
    return this.#commits.isSending || this.#sends?.isSending === true;
  }

  /** Something changed that wants to be committed. */
  touch(records: number, bytes: number): void {
    this.#commits.touch(records, bytes);
    this.#sends?.touch(records, bytes, this.#of.isIdle());
  }

  /** Commits, and so sends, what there is once the running code gives way. */
  soon(): void {
    this.#commits.soon();
  }

  /** Waits for what is in flight and commits the rest; what changes meanwhile is left. */
  drain(): Promise<void> {
    return this.#commits.drain();
  }

  /** Sends and commits nothing more. @returns when nothing is in flight. */
  async stop(): Promise<void> {
    await Promise.all([this.#sends?.stop(), this.#commits.stop()]);
  }
}
