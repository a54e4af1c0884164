import type { InboundBatch, Outcomes, RejectReason, SkipReason } from '@millrace/stream';
import type { Inbound, Outputs } from './values.ts';

/**
 * Records of one batch that wait for their epochs. The handler's promise settles when the last is closed, or when the
 * task is gone: nothing of it counts then.
 */
export class OpenBatch {
  readonly settled: Promise<void>;
  readonly #out: Outcomes<Outputs>;
  #left: number;
  #settle: () => void = () => undefined;

  constructor(batch: InboundBatch<Inbound>, out: Outcomes<Outputs>, signal: AbortSignal) {
    this.#out = out;
    this.#left = batch.length;
    this.settled = new Promise(resolve => (this.#settle = resolve));
    if (this.#left === 0 || signal.aborted) this.#settle();
    signal.addEventListener('abort', this.#settle, { once: true });
    void this.settled.then(() => signal.removeEventListener('abort', this.#settle));
  }

  done(i: number): void {
    this.#out.done(i);
    this.#closed();
  }

  skip(i: number, reason: SkipReason): void {
    this.#out.skip(i, reason);
    this.#closed();
  }

  reject(i: number, reason: RejectReason, cause?: unknown): void {
    this.#out.reject(i, reason, cause);
    this.#closed();
  }

  #closed(): void {
    if (--this.#left === 0) this.#settle();
  }
}

/** One record that waits for its epoch. */
export interface Held {
  readonly batch: OpenBatch;
  readonly i: number;
}
