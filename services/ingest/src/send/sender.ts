import type { Outage } from '@millrace/runtime';
import { type Broker, BrokerError, type OutRecord, type Producer } from '@millrace/stream';
import type { Clock, Logger } from '@millrace/telemetry';

export interface SenderOptions {
  readonly broker: Broker;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of Kafka: says once that it is away, and once that it answers again. */
  readonly outage: Pick<Outage, 'ride' | 'notReady'>;
  /** Longest wait of one request for its acknowledgement, milliseconds. */
  readonly sendMsMax: number;
  /** Records of one send, at most (one request may be larger). */
  readonly recordsMax: number;
  /** Records handed in and not yet acknowledged, at most (one request alone may be larger). */
  readonly waitingRecordsMax: number;
}

/** Records of one request, waiting for their turn or for their acknowledgement. */
interface Waiting {
  readonly records: readonly OutRecord[];
  readonly acknowledged: () => void;
  readonly failed: (error: unknown) => void;
}

const away = (why: string): BrokerError => new BrokerError(why, { retriable: true });
const REFUSALS_SAID_MS_MIN = 60_000;

/**
 * Sends what requests hand in, and answers each when the broker has acknowledged it. One send is under way at a time;
 * what arrives meanwhile goes out together in the next: the busier, the larger the sends, and order per key is kept.
 *
 * States: sending; away, from a send that failed or was not acknowledged in time until a new producer has reached the
 * broker, or the send under way has ended well after all. While away nothing is queued: clients are told at once to come
 * again. It looks for the broker by itself: nobody sends to a process that says it is not ready. Ended after `giveUp`.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #ended = new AbortController();
  readonly #gaveUp = Promise.withResolvers<void>();
  #queue: Waiting[] = [];
  /** Those of the send under way. */
  #sent: readonly Waiting[] = [];
  #producer: Producer | undefined;
  #draining: Promise<void> | undefined;
  #recovering: Promise<void> | undefined;
  #records = 0;
  #refusalSaidMs = -Infinity;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    this.#producer ??= await this.#options.broker.producer();
  }

  /** @throws BrokerError when the records were not acknowledged in time; they may have been written all the same */
  async send(records: readonly OutRecord[]): Promise<void> {
    const { clock, sendMsMax, waitingRecordsMax } = this.#options;
    if (this.#ended.signal.aborted || this.#recovering !== undefined) throw away('Kafka is away');
    if (this.#records > 0 && this.#records + records.length > waitingRecordsMax)
      throw away(`more than ${waitingRecordsMax} records would wait`);
    this.#records += records.length;
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
        const error = away(`not acknowledged within ${sendMsMax} ms`);
        this.#isAway(error);
        throw error;
      },
      () => undefined,
    );
    try {
      await Promise.race([acknowledgement, late]);
    } finally {
      this.#records -= records.length;
      done.abort();
    }
  }

  /** Answers whoever waits, that nothing is known of their records, and takes nothing more. */
  giveUp(): void {
    this.#gaveUp.resolve();
    this.#ended.abort(new Error('the sender has ended'));
    for (const one of [...this.#sent, ...this.#queue.splice(0)]) one.failed(away('this instance stops'));
  }

  /** Waits for the send under way, unless it is given up, then lets the producer go. */
  async close(): Promise<void> {
    await Promise.race([this.#draining, this.#gaveUp.promise]);
    const hangs = this.#draining !== undefined;
    this.giveUp();
    const closing = this.#discard();
    // A send that hangs may do so for longer than we have.
    if (!hangs) await closing;
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = (this.#sent = this.#take());
      try {
        await this.open();
        await this.#producer!.send(batch.flatMap(one => one.records));
        for (const one of batch) one.acknowledged();
      } catch (error) {
        for (const one of batch) one.failed(error);
        await this.#discard();
        this.#failed(error);
      }
      this.#sent = [];
    }
    // In the same step as the last look at the queue, so that no request is left waiting beside it.
    this.#draining = undefined;
  }

  #take(): readonly Waiting[] {
    let records = 0;
    const end = this.#queue.findIndex(one => (records += one.records.length) > this.#options.recordsMax);
    return this.#queue.splice(0, end < 0 ? this.#queue.length : Math.max(1, end));
  }

  /** A bad world is waited for; what Kafka refuses for good concerns these records alone. */
  #failed(error: unknown): void {
    if (error instanceof BrokerError && error.retriable) return this.#isAway(error);
    const { clock, logger } = this.#options;
    if (clock.now() - this.#refusalSaidMs < REFUSALS_SAID_MS_MIN) return;
    this.#refusalSaidMs = clock.now();
    logger.error({ err: error }, 'Kafka refuses what is sent');
  }

  #isAway(error: BrokerError): void {
    if (!this.#ended.signal.aborted) this.#recovering ??= this.#recover(error);
  }

  /** Looks for Kafka until it answers, or we have ended. */
  async #recover(error: BrokerError): Promise<void> {
    let known = false;
    const look = async (): Promise<void> => {
      if (!known) {
        known = true;
        throw error;
      }
      await this.#draining; // It may end well; a new producer beside it could overtake it.
      await this.open();
    };
    const { signal } = this.#ended;
    try {
      await this.#options.outage.ride(look, { signal });
    } catch (reason) {
      // Kafka lets us in no longer: each send says so from here on.
      if (!signal.aborted) this.#failed(reason);
    } finally {
      this.#recovering = undefined;
    }
  }

  /** Never rejects. A producer that failed is not used again: what it did last is unknown. */
  async #discard(): Promise<void> {
    const old = this.#producer;
    this.#producer = undefined;
    try {
      await old?.close();
    } catch (error) {
      this.#options.logger.debug({ err: error }, 'a producer did not close');
    }
  }
}
