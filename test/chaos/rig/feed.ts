/** A steady load: simulated payments and labels, some records that nobody can read, through librdkafka. */
import { setTimeout as sleep } from 'node:timers/promises';
import { topicsOf } from '@millrace/contracts';
import { FRAUD_SIMULATION, fraud, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { Ledger } from './ledger.ts';
import { type Script, startScript } from './script.ts';

export interface FeedOptions {
  readonly python: string;
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
const STEP_MS = 50;
const CUSTOMERS_MIN = 100;
const RECORDS_A_CUSTOMER_DAY = 3;
/** So many days shall the run be about; many more lie in the past, and event times may not be ahead of arrival. */
const DAYS = 45;
const DAYS_MAX = 300;

export class Feed {
  readonly ledger = new Ledger();
  readonly #producer: Script;
  readonly #events: Generator<SimulatedEvent>;
  #rate: number;

  constructor(options: FeedOptions) {
    this.#rate = options.rate;
    const { python, bootstrap, registry, seed, records } = options;
    const customers = Math.max(CUSTOMERS_MIN, Math.ceil(records / DAYS / RECORDS_A_CUSTOMER_DAY));
    this.#events = simulateFraud({
      ...FRAUD_SIMULATION,
      seed,
      days: DAYS_MAX,
      customers,
      terminals: Math.ceil(customers / 3),
      startAt: Date.UTC(2026, 0, 5),
    });
    this.#producer = startScript(python, 'load.py', { bootstrap, registry }, line => {
      const { n, partition, offset } = JSON.parse(line) as { n: number; partition: number; offset: number };
      this.ledger.acknowledge(n, { partition, offset });
    });
  }

  /** Rejects when the producer fails. */
  get failed(): Promise<void> {
    return this.#producer.ended;
  }

  /** Runs until the signal; records that are due are sent in small steps. */
  async run(signal: AbortSignal): Promise<void> {
    let dueMs = performance.now();
    while (!signal.aborted) {
      for (; dueMs <= performance.now() && !signal.aborted; dueMs += 1000 / this.#rate) await this.#next();
      await sleep(STEP_MS);
    }
  }

  /** Sends so many at once. */
  async burst(count: number): Promise<void> {
    for (let i = 0; i < count; i++) await this.#next();
  }

  async close(): Promise<void> {
    this.#producer.kill();
    await this.#producer.ended.catch(() => undefined); // It was killed.
  }

  async #next(): Promise<void> {
    const { ledger } = this;
    if (ledger.entries.length % POISON_EVERY === POISON_EVERY - 1) {
      const key = `poison-${ledger.entries.length}`;
      const { n, topic } = ledger.add({ kind: 'poison', id: key, key, topic: TOPICS.scored });
      await this.#producer.write(JSON.stringify({ n, topic, key, raw: Buffer.from(key).toString('base64') }));
      return;
    }
    const { value: event, done } = this.#events.next();
    if (done === true) throw new Error('the simulation has no more days: take a lower rate or fewer minutes');
    const { stream, value } = event;
    const { n, topic, key } = ledger.add({
      kind: stream === 'labels' ? 'label' : 'event',
      id: value.eventId,
      key: value.customerId,
      topic: TOPICS.events[stream]!,
    }, event); // prettier-ignore
    const sent = { revision: 0, withdrawn: false, lineage: null, ...value };
    await this.#producer.write(JSON.stringify({ n, topic, key, value: sent }));
  }
}
