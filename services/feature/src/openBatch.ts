import type { InboundBatch, Outcomes, RejectReason, SkipReason } from '@millrace/stream';
import type { Inbound, Outputs } from './values.ts';

/**
 * Records of one batch that wait for their epochs. The handler's promise settles when the last is closed, or when the
 * task is gone: nothing of it counts then.
 */
export interface OpenBatch {
  readonly settled: Promise<void>;
  done(i: number): void;
  skip(i: number, reason: SkipReason): void;
  reject(i: number, reason: RejectReason, cause?: unknown): void;
}

/** One record that waits for its epoch. */
export interface Held {
  readonly batch: OpenBatch;
  readonly i: number;
}

/** The open batches of one task. */
export class OpenBatches {
  readonly #settles = new Set<() => void>();
  #isGone = false;

  constructor(signal: AbortSignal) {
    const gone = (): void => {
      this.#isGone = true;
      for (const settle of this.#settles) settle();
      this.#settles.clear();
    };
    if (signal.aborted) gone();
    else signal.addEventListener('abort', gone, { once: true });
  }

  open(batch: InboundBatch<Inbound>, out: Outcomes<Outputs>): OpenBatch {
    let left = batch.length;
    const { promise: settled, resolve } = Promise.withResolvers<void>();
    if (left === 0 || this.#isGone) resolve();
    else this.#settles.add(resolve);
    const closed = (): void => {
      if (--left > 0) return;
      this.#settles.delete(resolve);
      resolve();
    };
    return {
      settled,
      done: i => {
        out.done(i);
        closed();
      },
      skip: (i, reason) => {
        out.skip(i, reason);
        closed();
      },
      reject: (i, reason, cause) => {
        out.reject(i, reason, cause);
        closed();
      },
    };
  }
}
