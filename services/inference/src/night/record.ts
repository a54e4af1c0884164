/** What is written of a night on `millrace.runs.v1`: over what and with what before the first score, what came of it at the end. */
import { Bad, openCodec, type Registry } from '@millrace/avro';
import { catalogue, MILLRACE_TOPICS, type Run, type Stretch } from '@millrace/contracts';
import type { Route } from '@millrace/define';
import type { Broker } from '@millrace/stream';

export const NIGHT = 'night';

/** What a night is done with, fixed when its slice is. Offsets by partition. */
export interface NightTerms {
  readonly asOf: string | null;
  readonly model: { readonly name: string; readonly version: string; readonly digest: string };
  readonly controlRevision: number;
  readonly thresholds: Readonly<Record<string, number>>;
  readonly routeVersion: number;
  /** Missing in runs from before they were written down. */
  readonly routes?: readonly Route[];
  /** Entities in the slice: whoever goes on must find as many. */
  readonly entities: number;
  readonly tombstones: number;
  /** Where predictions and dead letters of this run can begin. */
  readonly answersFrom: { readonly predictions: readonly number[]; readonly letters: readonly number[] };
  /** What rules had put off by then, and nobody has answered yet. */
  readonly deferred: {
    readonly slice: readonly Stretch[];
    readonly records: number;
    readonly lettersFrom: readonly number[];
  };
}

/** What came of a night, counted on the topics. */
export interface NightOutcome {
  readonly scored: number;
  readonly deadLettered: number;
  /** Predictions with an id that another one had: none. */
  readonly repeated: number;
  /** By decision. */
  readonly decisions: Readonly<Record<string, number>>;
  /** Of all events and vectors that were answered, in whatever order: equal where two runs answered the same. */
  readonly digest: string;
  /** What became of what rules had put off. */
  readonly putOff: { readonly scored: number; readonly deadLettered: number; readonly repeated: number };
  /** How long it gave way to the stream, milliseconds. */
  readonly waitedMs: number;
}

export interface CapturedNight {
  readonly run: Run;
  readonly terms: NightTerms;
}

export type NightReport = NightTerms & NightOutcome;

const TOPIC = MILLRACE_TOPICS.runs;

export class RunLog {
  readonly #broker: Broker;
  readonly #codec: Awaited<ReturnType<typeof openCodec<Run>>>;

  private constructor(broker: Broker, codec: Awaited<ReturnType<typeof openCodec<Run>>>) {
    this.#broker = broker;
    this.#codec = codec;
  }

  static async open(broker: Broker, registry: Registry): Promise<RunLog> {
    const value = catalogue([]).find(({ name }) => name === TOPIC)!.value!;
    return new RunLog(broker, await openCodec<Run>(registry, value));
  }

  /** Records from an offset to the present end, in their order, and the offset behind them. */
  async from(offset: number): Promise<{ readonly records: readonly Run[]; readonly next: number }> {
    const records: Run[] = [];
    const until = await this.#broker.admin.endOffsets(TOPIC);
    const next = until[0]?.offset ?? 0;
    if (next < offset)
      throw new Error(`${TOPIC} ends at ${next} and was read to ${offset}: it was made anew`);
    const [first] = await this.#broker.admin.beginningOffsets(TOPIC);
    const at = { topic: TOPIC, partition: 0, offset: Math.max(offset, first?.offset ?? 0) };
    if (at.offset >= next) return { records, next };
    for await (const batch of this.#broker.read({ from: [at], until })) {
      const values = Array.from({ length: batch.length }, (_, i) => batch.value(i));
      await this.#codec.prepare(values);
      for (const bytes of values) {
        const value = bytes === null ? null : this.#codec.decode(bytes);
        if (value !== null && !(value instanceof Bad)) records.push(value);
      }
    }
    return { records, next };
  }

  /** Records of one run, in their order. */
  async of(id: string): Promise<readonly Run[]> {
    const { records } = await this.from(0);
    return records.filter(({ run }) => run === id);
  }

  async write(run: Run): Promise<void> {
    const producer = await this.#broker.producer();
    try {
      const key = Buffer.from(run.run);
      await producer.send([{ topic: TOPIC, partition: 0, key, value: this.#codec.encode(run) }]);
    } finally {
      await producer.close();
    }
  }
}

/** The record that fixed a run: of two that were captured at once the first on the topic holds. */
export const capturedOf = (records: readonly Run[]): CapturedNight | undefined => {
  const run = records.find(({ state }) => state === 'captured');
  return run && { run, terms: JSON.parse(run.report ?? '{}') as NightTerms };
};

export const doneOf = (records: readonly Run[]): Run | undefined =>
  records.find(({ state }) => state === 'done');
