/** What one pipeline is served by: a model board for each version of its feature set, and one processor over all of them. */
import { openCodec, type RecordCodec, type Registry } from '@millrace/avro';
import {
  catalogue, CHAMPION, championOf, consumerGroup, type ControlRecord, type Cuts as CutsValue, deadLetterTopic, type Deferred, type FeaturesValue,
  type PredictionValue, topicsOf,
} from '@millrace/contracts'; // prettier-ignore
import { everySet, type Pipeline } from '@millrace/define';
import { DEFAULT_BATCH_LIMITS } from '@millrace/model';
import {
  type Broker,
  processor,
  type Processor,
  type ProcessorOptions,
  type TaskContext,
} from '@millrace/stream';
import type { Clock, Logger, Metrics, Random, Tracing } from '@millrace/telemetry';
import { PredictionWriter } from './answer.ts';
import { Board } from './board.ts';
import type { InferenceSettings } from './config.ts';
import { Cuts } from './cuts.ts';
import { readCuts } from './keptCuts.ts';
import { type Displaced, tellDisplaced } from './engines.ts';
import { Lane } from './lane.ts';
import type { ChooseRoute } from './laneOptions.ts';
import type { ModelSource } from './models.ts';
import { openPushCodecs, pushOutputs } from './pushes.ts';
import { Router } from './routing.ts';
import { type SetsOutputs, SetsTask } from './setsTask.ts';
import { VectorReader } from './vectors.ts';

export interface LineOptions {
  readonly pipeline: Pipeline;
  readonly broker: Broker;
  readonly registry: Registry;
  readonly models: ModelSource;
  /** Tells instances apart in batch ids. */
  readonly instance: string;
  readonly config: InferenceSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly logger: Logger;
  /** Asks the registry, however long it is away. */
  readonly ride: <T>(call: () => Promise<T>) => Promise<T>;
  /** Resolves when `change` was told everything that was on the control topic at the call. */
  readonly learn: (signal: AbortSignal) => Promise<void>;
}

/** One version of the feature set: who scores it, and how its vectors are read and its predictions written. */
interface SetLine {
  readonly version: number;
  readonly board: Board;
  readonly reader: VectorReader;
  readonly router: Router;
  readonly writer: PredictionWriter;
  readonly displaced: Displaced;
  /** Its vectors: those that are newest of their entity, and those aside. */
  readonly inputs: ReadonlyMap<string, RecordCodec<FeaturesValue>>;
}

/** At least once no prediction waits for it: it bounds what a crash has scored twice. */
export const COMMIT_INTERVAL_MS = { exactly_once: 25, at_least_once: 100 } as const;

export class Line {
  readonly pipeline: Pipeline;
  readonly processor: Processor;
  readonly #options: LineOptions;
  readonly #sets: readonly SetLine[];
  readonly #deferred: RecordCodec<Deferred>;
  readonly #cuts: RecordCodec<CutsValue> | undefined;
  readonly #tasks = new Map<number, SetsTask>();

  constructor(
    options: LineOptions,
    sets: readonly SetLine[],
    deferred: RecordCodec<Deferred>,
    cuts: RecordCodec<CutsValue> | undefined,
  ) {
    this.#deferred = deferred;
    this.pipeline = options.pipeline;
    this.#options = options;
    this.#sets = sets;
    this.#cuts = cuts;
    this.processor = processor<FeaturesValue, SetsOutputs>(this.#processorOptions());
  }

  /** Takes one change of the control table. */
  change(key: string, record: ControlRecord | undefined): void {
    for (const { board } of this.#sets) board.change(key, record);
  }

  /** Resolves when everything that the control topic named so far is loaded, or refused. */
  async settled(): Promise<void> {
    await Promise.all(
      this.#sets.map(async ({ board }) => {
        await board.loadSmaller();
        await board.settled();
      }),
    );
  }

  /** @throws Error where the control topic wants a version that is not here, and what serves it is unknown */
  check(): void {
    const { wantedSet } = this.#sets[0]!.board;
    const versions = this.#sets.map(({ version }) => version);
    if (wantedSet === undefined || versions.includes(wantedSet)) return;
    throw new Error(
      `the control topic says that version ${wantedSet} of the feature set of ${this.pipeline.name} is served, and the ` +
        `definition has ${versions.join(', ')}: switch with millrace features switch first, or define it under 'beside'`,
    );
  }

  get hasModel(): boolean {
    return this.#sets.some(({ board }) => board.notReady() === undefined);
  }

  /** Resolves when something can be scored: a model is in force. */
  get first(): Promise<void> {
    return Promise.race(this.#sets.map(({ board }) => board.first));
  }

  notReady(): string | undefined {
    const [own] = this.#sets;
    const wanted = own!.board.wantedSet ?? own!.version;
    const set = this.#sets.find(({ version }) => version === wanted);
    if (set === undefined) return `the definition has no version ${wanted} of the feature set`;
    const reason = set.board.notReady();
    if (reason === undefined) return this.processor.notReady();
    return this.#sets.length === 1 ? reason : `version ${wanted} of the feature set: ${reason}`;
  }

  async close(): Promise<void> {
    await Promise.all(this.#sets.map(({ board }) => board.close()));
  }

  #processorOptions(): ProcessorOptions<FeaturesValue, SetsOutputs> {
    const { pipeline, broker, config, clock, random, metrics, logger } = this.#options;
    const topics = topicsOf(pipeline);
    const { laneRowsMax: rowsHigh, laneBytesMax: bytesHigh } = config;
    const lane = { rowsHigh, rowsLow: rowsHigh / 2, bytesHigh, bytesLow: bytesHigh / 2 };
    const outputs = {
      predictions: { topic: topics.predictions },
      ...pushOutputs(pipeline),
      deferred: { topic: topics.deferred, codec: this.#deferred },
      ...(this.#cuts && { cuts: { topic: topics.cuts, codec: this.#cuts } }),
    };
    return {
      broker,
      group: consumerGroup('inference', pipeline),
      inputs: this.#sets.flatMap(({ inputs }) =>
        [...inputs].map(([topic, codec]) => ({ topic, codec, lane })),
      ),
      // With one version nothing is ever cut, and there is no such topic.
      outputs: outputs as ProcessorOptions<FeaturesValue, SetsOutputs>['outputs'],
      delivery: pipeline.delivery.inference,
      deadLetters: deadLetterTopic,
      rejects: pipeline.rejects.inference ?? {},
      createTask: context => this.#task(context),
      waitsFor: task => this.#tasks.get(task)?.waitsFor(),
      commit: {
        intervalMs: config.commitIntervalMs ?? COMMIT_INTERVAL_MS[pipeline.delivery.inference],
      },
      fetchWaitMsMax: config.fetchWaitMsMax,
      fetchBytesMin: config.fetchBytesMin,
      fetchLingerMs: config.fetchLingerMs,
      fetchBytesPerPartitionMax: config.fetchBytesMax,
      sessionTimeoutMs: config.sessionTimeoutMs,
      stallMsMax: config.stallMsMax,
      clock,
      random,
      metrics,
      logger,
    };
  }

  async #task(context: TaskContext<SetsOutputs>): Promise<Lane | SetsTask> {
    const { pipeline, broker, clock, logger, learn } = this.#options;
    const { id, signal } = context;
    // The owner before us may have answered by what we have not read yet: versions of rules must not fall.
    await learn(signal);
    await Promise.all(this.#sets.map(({ board }) => board.settled()));
    if (this.#cuts === undefined) return this.#lane(this.#sets[0]!, context);
    const topics = topicsOf(pipeline);
    const kept = await readCuts(broker, topics.cuts, this.#cuts, id, signal);
    const cuts = new Cuts(pipeline.features.version, kept);
    const sets = this.#sets.map(set => {
      const owns = (partition: number, offset: number): boolean => cuts.owns(set.version, partition, offset);
      const { version, board, inputs } = set;
      return { version, board, lane: this.#lane(set, context, owns), topics: [...inputs.keys()] };
    });
    const ends = () => broker.admin.endOffsets(topics.scored);
    const [own] = this.#sets;
    const wanted = (): number => own!.board.wantedSet ?? own!.version;
    const task = new SetsTask({ sets, cuts, wanted, ends, clock, logger }, context, kept.length === 0);
    this.#tasks.set(id, task);
    signal.addEventListener('abort', () => this.#tasks.get(id) === task && this.#tasks.delete(id), {
      once: true,
    });
    return task;
  }

  #lane(
    { version, board, reader, router, writer, displaced }: SetLine,
    { id, generation, signal }: TaskContext<SetsOutputs>,
    owns?: (sourcePartition: number, sourceOffset: number) => boolean,
  ): Lane {
    const { pipeline, instance, clock, metrics, tracing, logger } = this.#options;
    const name = `${instance}-${id}-${generation}${this.#sets.length === 1 ? '' : `-v${version}`}`;
    const route: ChooseRoute = (vectors, row, inForce) => router.choose(vectors, row, inForce);
    const given = {
      pipeline,
      board,
      reader,
      route,
      writer,
      displaced,
      name,
      clock,
      metrics,
      tracing,
      logger,
    };
    return new Lane({ ...given, ...(owns && { owns }) }, signal);
  }
}

export const openLine = async (options: LineOptions): Promise<Line> => {
  const { pipeline, registry, models, config, clock, metrics, logger, ride } = options;
  const limits = { ...DEFAULT_BATCH_LIMITS, rowsMax: config.batchRowsMax, waitMsMax: config.batchWaitMsMax };
  const codecOf = <T>(of: Pipeline, name: string): Promise<RecordCodec<T>> => {
    const value = catalogue([of]).find(topic => topic.name === name)?.value;
    if (value === undefined) throw new Error(`the catalogue has no schema for topic ${name}`);
    return ride(() => openCodec<T>(registry, value));
  };
  const sets = await Promise.all(
    everySet(pipeline).map(async (set): Promise<SetLine> => {
      const { version } = set.features;
      const topics = topicsOf(set);
      const features = await codecOf<FeaturesValue>(set, topics.features);
      const aside = await codecOf<FeaturesValue>(set, topics.aside);
      const predictions = await codecOf<PredictionValue>(set, topics.predictions);
      const inputs = new Map([
        [topics.features, features],
        [topics.aside, aside],
      ]);
      // The plain alias is of the version that the definition names first.
      const isOwn = version === pipeline.features.version;
      const aliases = isOwn ? [championOf(version), CHAMPION] : [championOf(version)];
      return {
        version,
        board: new Board({ pipeline: set, aliases, models, limits, clock, metrics, logger }),
        reader: new VectorReader(set, inputs),
        router: new Router(set, features),
        writer: new PredictionWriter(set, features, predictions, await openPushCodecs(set, codecOf)),
        displaced: tellDisplaced(pipeline.name, metrics, (err, line) => logger.warn({ err }, line)),
        inputs,
      };
    }),
  );
  const { cuts, deferred } = topicsOf(pipeline);
  return new Line(
    options,
    sets,
    await codecOf<Deferred>(pipeline, deferred),
    sets.length === 1 ? undefined : await codecOf<CutsValue>(pipeline, cuts),
  );
};
