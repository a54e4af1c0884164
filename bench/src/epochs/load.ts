/** Simulated payments and labels at a steady rate, and when a reader of committed vectors sees what comes of them. */
import { Bad, type Codec, openCodec, type Registry } from '@millrace/avro';
import { catalogue, type FeaturesValue, topicsOf } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { FRAUD_SIMULATION, simulateFraud, type SimulatedEvent } from '@millrace/pipelines';
import { type Broker, decoded, murmur2Partition, type OutRecord } from '@millrace/stream';
import type { Clock } from '@millrace/telemetry';

const SIMULATION = {
  ...FRAUD_SIMULATION,
  seed: 20_261_129,
  customers: 4_000,
  terminals: 800,
  days: 60,
  labelDelayDays: 7,
};
const TICK_MS = 5; // prettier-ignore

export interface BenchTown {
  readonly broker: Broker;
  readonly registry: Registry;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const codecOf = <T>({ registry }: BenchTown, pipeline: Pipeline, topic: string): Promise<Codec<T>> =>
  openCodec<T>(registry, catalogue([pipeline]).find(({ name }) => name === topic)!.value!);

/** Events of one contestant, which go on where they were from round to round. */
export class Load {
  readonly #town: BenchTown;
  readonly #pipeline: Pipeline;
  readonly #codecs: ReadonlyMap<string, Codec<Record<string, unknown>>>;
  readonly #events: Iterator<SimulatedEvent>;

  private constructor(
    town: BenchTown,
    pipeline: Pipeline,
    codecs: ReadonlyMap<string, Codec<Record<string, unknown>>>,
  ) {
    this.#town = town;
    this.#pipeline = pipeline;
    this.#codecs = codecs;
    this.#events = simulateFraud(SIMULATION)[Symbol.iterator]();
  }

  static async open(town: BenchTown, pipeline: Pipeline): Promise<Load> {
    const topics = Object.entries(topicsOf(pipeline).events);
    const codecs = await Promise.all(
      topics.map(
        async ([stream, topic]) =>
          [stream, await codecOf<Record<string, unknown>>(town, pipeline, topic)] as const,
      ),
    );
    return new Load(town, pipeline, new Map(codecs));
  }

  /** Sends payments at a steady rate, with the labels that come between them; resolves when all are acknowledged. */
  async send(paymentsPerSecond: number, seconds: number): Promise<number> {
    const { broker, clock, signal } = this.#town;
    const producer = await broker.producer();
    const startMs = clock.now();
    const count = Math.round(paymentsPerSecond * seconds);
    let sent = 0;
    try {
      while (sent < count) {
        const due = Math.min(count, Math.floor(((clock.now() - startMs) / 1000) * paymentsPerSecond));
        if (due > sent) await producer.send(this.#records(due - sent));
        sent = Math.max(sent, due);
        await clock.sleep(TICK_MS, signal);
      }
    } finally {
      await producer.close();
    }
    return count;
  }

  #records(payments: number): readonly OutRecord[] {
    const records: OutRecord[] = [];
    const { events } = topicsOf(this.#pipeline);
    for (let left = payments; left > 0;) {
      const next = this.#events.next();
      if (next.done === true) throw new Error('the simulation has no more payments: ask for fewer');
      const { stream, value } = next.value;
      if (stream === this.#pipeline.scores) left--;
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

/** Hands over how long each vector took, from the append of its payment until a reader of committed records has it. */
export async function followVectors(
  town: BenchTown,
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
