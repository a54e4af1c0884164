/**
 * A steady load through librdkafka: simulated payments and their labels, now and then a payment once more, and a record
 * that nobody can read.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { topicsOf } from '@millrace/contracts';
import { FRAUD_SIMULATION, fraud, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { Ledger } from './ledger.ts';
import { type Python, type Script, startScript } from './script.ts';

export interface FeedOptions {
  readonly python: Python;
  readonly bootstrap: string;
  readonly registry: string;
  readonly seed: number;
  /** Records a second, labels counted. */
  readonly rate: number;
  /** How many there will be, about: so many customers that the simulated days are enough, and no fewer than windows need. */
  readonly records: number;
}

const TOPICS = topicsOf(fraud);
const POISON_EVERY = 97;
const AGAIN_EVERY = 61;
const STEP_MS = 50;
const CUSTOMERS_MIN = 100;
const RECORDS_A_CUSTOMER_DAY = 3;
/** So many days shall the run be about; many more lie in the past, and event times may not be ahead of arrival. */
const DAYS = 45;
const DAYS_MAX = 300;

/** The value of an event as its topic has it. */
export const sentValue = ({ value }: SimulatedEvent): object => ({
  revision: 0,
  withdrawn: false,
  lineage: null,
  ...value,
});

export class Feed {
  readonly ledger = new Ledger();
  /** Nothing is sent while it is so. */
  resting = false;
  readonly #options: FeedOptions;
  readonly #failure = Promise.withResolvers<never>();
  #producer: Script;
  readonly #events: Generator<SimulatedEvent>;
  #count = 0;
  #last: SimulatedEvent | undefined;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { seed, records } = options;
    const customers = Math.max(CUSTOMERS_MIN, Math.ceil(records / DAYS / RECORDS_A_CUSTOMER_DAY));
    this.#events = simulateFraud({
      ...FRAUD_SIMULATION,
      seed,
      days: DAYS_MAX,
      customers,
      terminals: Math.ceil(customers / 3),
      startAt: Date.UTC(2026, 0, 5),
    });
    this.#failure.promise.catch(() => undefined); // Whoever runs us listens.
    this.#producer = this.#load();
  }

  /** A script that produces, and says what was acknowledged. */
  script(name: string, where: Readonly<Record<string, string>>): Script {
    return startScript(this.#options.python, name, where, line => {
      const { n, partition, offset } = JSON.parse(line) as { n: number; partition: number; offset: number };
      this.ledger.acknowledge(n, { partition, offset });
    });
  }

  /** Rejects when the producer fails. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Goes on with another producer, once the one so far has sent what it was given. */
  async renew(): Promise<void> {
    this.#producer.end();
    await this.#producer.ended;
    this.#producer = this.#load();
  }

  /** A line for the producer, as `load.py` takes it. */
  write(line: object): Promise<void> {
    return this.#producer.write(JSON.stringify(line));
  }

  /** Runs until the signal; records that are due are sent in small steps. */
  async run(signal: AbortSignal): Promise<void> {
    let dueMs = performance.now();
    while (!signal.aborted) {
      if (this.resting) dueMs = performance.now();
      for (
        ;
        !this.resting && dueMs < performance.now() && !signal.aborted;
        dueMs += 1000 / this.#options.rate
      )
        await this.#next();
      await sleep(STEP_MS);
    }
  }

  /** Sends so many at once. */
  async burst(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#next();
  }

  /** The next payment of the simulation, under keys of their own when a prefix is given; labels are left out. */
  takePayment(prefix: string): SimulatedEvent & { readonly stream: 'transactions' } {
    for (;;) {
      const event = this.#take();
      if (event.stream === 'labels') continue;
      const { customerId, terminalId } = event.value;
      const value = { ...event.value, customerId: prefix + customerId, terminalId: prefix + terminalId };
      return { stream: 'transactions', value };
    }
  }

  async close(): Promise<void> {
    this.#producer.kill();
    await this.#producer.ended.catch(() => undefined); // It was killed.
  }

  #load(): Script {
    const { bootstrap, registry } = this.#options;
    const producer = this.script('load.py', { bootstrap, registry });
    producer.ended.catch((error: unknown) => this.#failure.reject(error));
    return producer;
  }

  #take(): SimulatedEvent {
    const { value, done } = this.#events.next();
    if (done === true) throw new Error('the simulation has no more days: take a lower rate or fewer minutes');
    return value;
  }

  async #next(): Promise<void> {
    const { ledger } = this;
    const count = ++this.#count;
    if (count % POISON_EVERY === 0) {
      const id = `poison-${count}`;
      const { n, topic } = ledger.add({ kind: 'poison', id, key: id, topic: TOPICS.scored });
      await this.write({ n, topic, key: id, raw: Buffer.from(id).toString('base64') });
      return;
    }
    const again = count % AGAIN_EVERY === 0 ? this.#last : undefined;
    const event = again ?? this.#take();
    const { stream, value } = event;
    const kind = again !== undefined ? 'again' : stream === 'labels' ? 'label' : 'event';
    if (kind === 'event') this.#last = event;
    const named = { kind, id: value.eventId, key: value.customerId, topic: TOPICS.events[stream]! } as const;
    const { n, topic, key } = ledger.add(named, again === undefined ? event : undefined);
    await this.write({ n, topic, key, value: sentValue(event) });
  }
}
