import { openCodec, type RecordCodec, type Registry } from '@millrace/avro';
import {
  catalogue, consumerGroup, type ControlRecord, deadLetterTopic, type FeaturesValue, MILLRACE_TOPICS, type PredictionValue, topicsOf, type Topic,
} from '@millrace/contracts'; // prettier-ignore
import type { Pipeline } from '@millrace/define';
import { DEFAULT_BATCH_LIMITS, type MakeScorer, workerScorer } from '@millrace/model';
import { type Component, Outage, START_WAIT_MS_MAX } from '@millrace/runtime';
import { type Broker, type GlobalTable, globalTable, processor, type Processor } from '@millrace/stream';
import {
  type Clock, type Logger, type Metrics, noLogger, noMetrics, noTracing, type Random, systemClock, systemRandom, type Tracing,
} from '@millrace/telemetry'; // prettier-ignore
import { PredictionWriter } from './answer.ts';
import { Board } from './board.ts';
import { INFERENCE_DEFAULTS, type InferenceSettings } from './config.ts';
import { Lane, type PredictionOutputs } from './lane.ts';
import { folderModels, type ModelSource } from './models.ts';
import { VectorReader } from './vectors.ts';

export interface InferenceOptions {
  readonly pipelines: readonly Pipeline[];
  readonly broker: Broker;
  readonly registry: Registry;
  /** Folder of model folders, or another source of models. */
  readonly models: string | ModelSource;
  /** Tells instances apart in batch ids. */
  readonly instance: string;
  readonly config?: Partial<InferenceSettings>;
  /** Default: each model in a thread of its own. */
  readonly makeScorer?: MakeScorer;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly metrics?: Metrics;
  readonly tracing?: Tracing;
  readonly logger?: Logger;
  /** Longest wait of the start for the registry. */
  readonly startWaitMsMax?: number;
}

type Control = GlobalTable<ControlRecord>;

/** What one pipeline is served by. */
interface Line {
  readonly pipeline: Pipeline;
  readonly board: Board;
  readonly processor: Processor;
}

const codecsOf = (
  registry: Registry,
  topics: readonly Topic[],
  ride: <T>(call: () => Promise<T>) => Promise<T>,
) => {
  const byName = new Map(topics.map(topic => [topic.name, topic]));
  return <T>(name: string): Promise<RecordCodec<T>> => {
    const value = byName.get(name)?.value;
    if (value === undefined) throw new Error(`the catalogue has no schema for topic ${name}`);
    return ride(() => openCodec<T>(registry, value));
  };
};

class InferenceService implements Component {
  readonly name = 'inference';
  readonly failed: Promise<never>;
  readonly #fail: (error: unknown) => void;
  readonly #options: InferenceOptions;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #metrics: Metrics;
  readonly #registry: Outage;
  #control: Control | undefined;
  #lines: readonly Line[] = [];
  #problem: string | undefined = 'not started';
  #stopping: Promise<void> | undefined;

  constructor(options: InferenceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#logger = options.logger ?? noLogger;
    this.#metrics = options.metrics ?? noMetrics;
    const [clock, logger, metrics] = [this.#clock, this.#logger, this.#metrics];
    this.#registry = new Outage({ dependency: 'registry', clock, logger, metrics });
    const { promise, reject } = Promise.withResolvers<never>();
    // Whoever runs the service may look at it later; until then it is no unhandled rejection.
    promise.catch(() => undefined);
    this.failed = promise;
    this.#fail = reject;
  }

  /** Resolves when the control topic was read and each pipeline that has a model has joined its group. */
  async start(signal: AbortSignal): Promise<void> {
    const { pipelines, broker, registry, models, makeScorer = workerScorer } = this.#options;
    const patience = { signal, waitMsTotalMax: this.#options.startWaitMsMax ?? START_WAIT_MS_MAX };
    const codecFor = codecsOf(registry, catalogue(pipelines), call => this.#registry.ride(call, patience));
    const source =
      typeof models === 'string'
        ? folderModels(models, makeScorer, err => this.#logger.warn({ err }, 'a model folder is passed over'))
        : models;
    const control = globalTable<ControlRecord>({
      broker,
      topic: MILLRACE_TOPICS.control,
      codec: await codecFor<ControlRecord>(MILLRACE_TOPICS.control),
      clock: this.#clock,
      random: this.#options.random ?? systemRandom,
      metrics: this.#metrics,
      logger: this.#logger,
    });
    this.#control = control;
    control.failed.catch(this.#fail);
    this.#lines = await Promise.all(pipelines.map(pipeline => this.#line(pipeline, source, codecFor)));
    await control.start(signal);
    // In one stretch, so that no change slips in between; nothing is loaded that was replaced long ago.
    for (const { board } of this.#lines) {
      for (const [key, record] of control.entries()) board.change(key, record);
      control.onChange((key, record) => board.change(key, record));
    }
    await Promise.all(this.#lines.map(line => this.#begin(line, signal)));
    this.#problem = undefined;
  }

  async #line(pipeline: Pipeline, models: ModelSource, codecFor: ReturnType<typeof codecsOf>): Promise<Line> {
    const topics = topicsOf(pipeline);
    const { broker, instance, tracing = noTracing, random = systemRandom } = this.#options;
    const config = { ...INFERENCE_DEFAULTS, ...this.#options.config };
    const [clock, metrics] = [this.#clock, this.#metrics];
    const logger = this.#logger.child({ pipeline: pipeline.name });
    const limits = {
      ...DEFAULT_BATCH_LIMITS,
      rowsMax: config.batchRowsMax,
      waitMsMax: config.batchWaitMsMax,
    };
    const board = new Board({ pipeline, models, limits, clock, metrics, logger });
    const features = await codecFor<FeaturesValue>(topics.features);
    const aside = await codecFor<FeaturesValue>(topics.aside);
    const predictions = await codecFor<PredictionValue>(topics.predictions);
    const read = new Map([
      [topics.features, features],
      [topics.aside, aside],
    ]);
    const reader = new VectorReader(pipeline, read);
    const writer = new PredictionWriter(pipeline, features, predictions);
    const run = processor<FeaturesValue, PredictionOutputs>({
      broker,
      group: consumerGroup('inference', pipeline),
      inputs: [...read].map(([topic, codec]) => ({ topic, codec })),
      outputs: { predictions: { topic: topics.predictions, codec: predictions } },
      delivery: pipeline.delivery.inference,
      deadLetters: deadLetterTopic,
      rejects: pipeline.rejects.inference ?? {},
      createTask: ({ id, generation, signal }) =>
        new Lane(
          {
            pipeline,
            board,
            reader,
            writer,
            name: `${instance}-${id}-${generation}`,
            clock,
            metrics,
            tracing,
            logger,
          },
          signal,
        ),
      commit: { intervalMs: config.commitIntervalMs },
      fetchWaitMsMax: config.fetchWaitMsMax,
      sessionTimeoutMs: config.sessionTimeoutMs,
      stallMsMax: config.stallMsMax,
      clock,
      random,
      metrics,
      logger,
    });
    run.failed.catch(this.#fail);
    return { pipeline, board, processor: run };
  }

  /** A pipeline joins its group once a model is in force: until then its records wait where they are. */
  async #begin({ board, processor }: Line, signal: AbortSignal): Promise<void> {
    await board.loadSmaller();
    await board.settled();
    if (board.notReady() === undefined) return processor.start(signal);
    const later = async (): Promise<void> => {
      await board.first;
      if (this.#stopping === undefined && !signal.aborted) await processor.start(signal);
    };
    later().catch(this.#fail);
  }

  notReady(): string | undefined {
    if (this.#problem !== undefined) return this.#registry.notReady() ?? this.#problem;
    const control = this.#control?.notReady();
    if (control !== undefined) return control;
    for (const { pipeline, board, processor } of this.#lines) {
      const reason = board.notReady() ?? processor.notReady();
      if (reason !== undefined) return `${pipeline.name}: ${reason}`;
    }
    return undefined;
  }

  stop(deadlineMs: number): Promise<void> {
    this.#stopping ??= this.#stop(deadlineMs);
    return this.#stopping;
  }

  async #stop(deadlineMs: number): Promise<void> {
    this.#problem = 'stopped';
    await Promise.all(this.#lines.map(({ processor }) => processor.stop(deadlineMs)));
    await this.#control?.stop(deadlineMs);
    await Promise.all(this.#lines.map(({ board }) => board.close()));
  }
}

/** Scores the vectors of each pipeline with the model that the control topic names, and publishes predictions. */
export const inferenceService = (options: InferenceOptions): Component => new InferenceService(options);
