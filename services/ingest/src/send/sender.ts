import { type Broker, BrokerError, type OutRecord, type Producer } from '@millrace/stream';
import type { Clock, Logger } from '@millrace/telemetry';

export interface SenderOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Longest wait of one request for its acknowledgement, milliseconds. */
  readonly sendMsMax: number;
  /** Records of one send, at most (one request may be larger). */
  readonly recordsMax: number;
}

/** Records of one request, waiting for their turn. */
interface Waiting {
  readonly records: readonly OutRecord[];
  readonly acknowledged: () => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Sends what requests hand in, and answers each when the broker has acknowledged it. One send is under way at a time;
 * what arrives meanwhile goes out together in the next: the busier, the larger the sends, and order per key is kept.
 */
export class Sender {
  readonly #options: SenderOptions;
  #queue: Waiting[] = [];
  #producer: Producer | undefined;
  #draining: Promise<void> | undefined;
  #down = false;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Why nothing is acknowledged at present, or undefined. */
  get down(): boolean {
    return this.#down;
  }

  async open(): Promise<void> {
    this.#producer ??= await this.#options.broker.producer();
  }

  /** @throws BrokerError when the records were not acknowledged in time; they may have been written all the same */
  async send(records: readonly OutRecord[]): Promise<void> {
    const { clock, sendMsMax } = this.#options;
    const done = new AbortController();
    let entry: Waiting | undefined;
    const acknowledgement = new Promise<void>((acknowledged, failed) => {
      entry = { records, acknowledged, failed };
      this.#queue.push(entry);
    });
    this.#draining ??= this.#drain();
    const late = clock.sleep(sendMsMax, done.signal).then(
      () => {
        // What has not begun never will: the client is told to send again.
        this.#queue = this.#queue.filter(one => one !== entry);
        throw new BrokerError(`not acknowledged within ${sendMsMax} ms`, { retriable: true });
      },
      () => undefined,
    );
    try {
      await Promise.race([acknowledgement, late]);
    } finally {
      done.abort();
    }
  }

  /** Waits for the send under way, then lets the producer go. */
  async close(): Promise<void> {
    await this.#draining;
    await this.#producer?.close();
    this.#producer = undefined;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take();
      try {
        await this.open();
        await this.#producer!.send(batch.flatMap(one => one.records));
        if (this.#down) this.#options.logger.info({}, 'the broker acknowledges again');
        this.#down = false;
        for (const one of batch) one.acknowledged();
      } catch (error) {
        // Said once per outage, not once per request.
        if (!this.#down) this.#options.logger.warn({ err: error }, 'the broker does not acknowledge');
        this.#down = true;
        for (const one of batch) one.failed(error);
        await this.#discard();
      }
    }
    // In the same step as the last look at the queue, so that no request is left waiting beside it.
    this.#draining = undefined;
  }

  #take(): readonly Waiting[] {
    let records = 0;
    const end = this.#queue.findIndex(one => (records += one.records.length) > this.#options.recordsMax);
    return this.#queue.splice(0, end < 0 ? this.#queue.length : Math.max(1, end));
  }

  /** A producer that failed is not used again: what it did last is unknown. */
  async #discard(): Promise<void> {
    const old = this.#producer;
    this.#producer = undefined;
    try {
      await old?.close();
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'a failed producer did not close');
    }
  }
}
