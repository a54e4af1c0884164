/** Simulated payments with their labels: as fast as is asked for, and the vectors that they should have. */
import { Bad, type Codec, openCodec } from '@millrace/avro';
import { catalogue, type FeaturesValue, topicsOf } from '@millrace/contracts';
import { featureNames, type Pipeline } from '@millrace/define';
import { compileSet, type FoldEvent, foldInOrder, readEvent, type Vector } from '@millrace/features';
import {
  FRAUD_SIMULATION,
  type FraudSimulation,
  simulateFraud,
  type SimulatedEvent,
} from '@millrace/pipelines';
import { decoded, murmur2Partition, type OutRecord } from '@millrace/stream';
import type { BenchWorld } from '../world/open.ts';

/** Begins so long ago, and goes on for so long, that no bench comes to its end or to the present. */
export const SIMULATION: FraudSimulation = {
  ...FRAUD_SIMULATION,
  seed: 20_261_129,
  customers: 4_000,
  terminals: 800,
  startAt: Date.UTC(2020, 0, 6),
  days: 2_000,
  labelDelayDays: 7,
};
const TICK_MS = 5;
/** Payments of one send at most. */
const CHUNK_PAYMENTS = 5_000;

/** What a bench needs of its world to send and to read. */
export type Town = Pick<BenchWorld, 'broker' | 'registry' | 'clock' | 'signal'>;

type EventCodec = Codec<Record<string, unknown>>;

const codecOf = <T>({ registry }: Town, pipeline: Pipeline, topic: string): Promise<Codec<T>> =>
  openCodec<T>(registry, catalogue([pipeline]).find(({ name }) => name === topic)!.value!);

/** Payments of one pipeline, numbered from 0, which go on where they were from round to round. */
export class Payments {
  readonly #town: Town;
  readonly #pipeline: Pipeline;
  readonly #codecs: ReadonlyMap<string, EventCodec>;
  readonly #events: Iterator<SimulatedEvent>;
  #sent = 0;

  private constructor(
    town: Town,
    pipeline: Pipeline,
    codecs: ReadonlyMap<string, EventCodec>,
    events: Iterator<SimulatedEvent>,
  ) {
    this.#town = town;
    this.#pipeline = pipeline;
    this.#codecs = codecs;
    this.#events = events;
  }

  static async open(town: Town, pipeline: Pipeline, simulation = SIMULATION): Promise<Payments> {
    const codecs = new Map<string, EventCodec>();
    for (const [stream, topic] of Object.entries(topicsOf(pipeline).events))
      codecs.set(stream, await codecOf(town, pipeline, topic));
    return new Payments(town, pipeline, codecs, simulateFraud(simulation));
  }

  /** Number of the next payment. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends payments with the labels that come between them, no faster than this; resolves when all are acknowledged. */
  async send(payments: number, perSecondMax: number): Promise<void> {
    const { broker, clock, signal } = this.#town;
    const producer = await broker.producer();
    const startMs = clock.now();
    let sent = 0;
    try {
      while (sent < payments) {
        const due = Math.floor(((clock.now() - startMs) / 1000) * perSecondMax);
        const count = Math.min(payments - sent, due - sent, CHUNK_PAYMENTS);
        if (count > 0) await producer.send(this.#records(count));
        sent += Math.max(0, count);
        await clock.sleep(TICK_MS, signal);
      }
    } finally {
      await producer.close();
    }
  }

  #records(payments: number): readonly OutRecord[] {
    const records: OutRecord[] = [];
    const { events } = topicsOf(this.#pipeline);
    for (const until = this.#sent + payments; this.#sent < until;) {
      const next = this.#events.next();
      if (next.done === true) throw new Error('the simulation has no more payments: ask for fewer');
      const { stream, value } = next.value;
      if (stream === this.#pipeline.scores) this.#sent++;
      const codec = this.#codecs.get(stream);
      if (codec === undefined) continue;
      const key = Buffer.from(value.customerId);
      records.push({
        topic: events[stream]!,
        partition: murmur2Partition(key, this.#pipeline.partitions),
        key,
        value: codec.encode({ revision: 0, withdrawn: false, lineage: null, ...value }),
      });
    }
    return records;
  }
}

/** A payment's number stands behind it. */
export const EVENT_ID_PREFIX = `tx-${SIMULATION.seed}-`;

/** Number of the payment with an event id; -1 where it is none of ours. */
export const paymentOf = (eventId: string): number => {
  const number = eventId.startsWith(EVENT_ID_PREFIX) ? eventId.slice(EVENT_ID_PREFIX.length) : '';
  return /^\d+$/.test(number) ? Number(number) : -1;
};

/** Events of the streams of a pipeline, in the order in which they become known. */
export function* eventsOf(pipeline: Pipeline, simulation: FraudSimulation): Generator<FoldEvent> {
  let place = 0;
  for (const { stream, value } of simulateFraud(simulation))
    if (pipeline.events[stream] !== undefined) yield readEvent(pipeline, stream, { ...value }, 0, place++);
}

/** The vectors that the payments of a pipeline should have: the same payments folded in this process, in their own order. */
export class Folded {
  /** Names of a vector's values, in order. */
  readonly names: readonly string[];
  readonly #vectors: Generator<Vector>;

  constructor(pipeline: Pipeline, simulation = SIMULATION) {
    this.names = featureNames(pipeline.features);
    this.#vectors = foldInOrder(compileSet(pipeline), eventsOf(pipeline, simulation));
  }

  /** Those of the next payments, row by row. */
  next(payments: number): Float32Array {
    const { length } = this.names;
    const rows = new Float32Array(payments * length);
    for (let i = 0; i < payments; i++) {
      const next = this.#vectors.next();
      if (next.done === true) throw new Error('the simulation has no more payments: ask for fewer');
      rows.set(next.value.values, i * length);
    }
    return rows;
  }
}

/** Hands over how long each vector took, from the append of its payment until a reader of committed records has it. */
export async function followVectors(
  town: Town,
  pipeline: Pipeline,
  seen: (waitMs: number, appendTimeMs: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const { broker, clock } = town;
  const { features, aside } = topicsOf(pipeline);
  const codec = await codecOf<FeaturesValue>(town, pipeline, features);
  const from = [...(await broker.admin.endOffsets(features)), ...(await broker.admin.endOffsets(aside))];
  for await (const { value } of decoded(broker.read({ from, signal }), codec))
    if (value !== null && !(value instanceof Bad)) seen(clock.now() - value.appendTime, value.appendTime);
}
