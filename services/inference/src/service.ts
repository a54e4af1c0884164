import { openCodec, type Registry } from '@millrace/avro';
import { catalogue, type ControlRecord, MILLRACE_TOPICS } from '@millrace/contracts';
import type { Pipeline } from '@millrace/define';
import { type Beside, type MakeScorer, sharingScorer, workerScorer } from '@millrace/model';
import { type Component, Outage, START_WAIT_MS_MAX } from '@millrace/runtime';
import { type Broker, type GlobalTable, globalTable } from '@millrace/stream';
import {
  type Clock, type Logger, type Metrics, noLogger, noMetrics, noTracing, type Random, systemClock, systemRandom, type Tracing,
} from '@millrace/telemetry'; // prettier-ignore
import { INFERENCE_DEFAULTS, type InferenceSettings } from './config.ts';
import { type Line, openLine } from './line.ts';
import { folderModels, type ModelSource } from './models.ts';

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
    const ride = <T>(call: () => Promise<T>): Promise<T> => this.#registry.ride(call, patience);
    const value = catalogue([]).find(({ name }) => name === MILLRACE_TOPICS.control)!.value!;
    // Lanes at a low rate have a few rows each: they share the calls.
    const make: MakeScorer = async (...of) => sharingScorer(await makeScorer(...of));
    const source =
      typeof models === 'string'
        ? folderModels(
            models,
            make,
            err => this.#logger.warn({ err }, 'a model folder is passed over'),
            this.#beside(),
          )
        : models;
    const control = globalTable<ControlRecord>({
      broker,
      topic: MILLRACE_TOPICS.control,
      codec: await ride(() => openCodec<ControlRecord>(registry, value)),
      clock: this.#clock,
      random: this.#options.random ?? systemRandom,
      metrics: this.#metrics,
      logger: this.#logger,
    });
    this.#control = control;
    control.failed.catch(this.#fail);
    this.#lines = await Promise.all(
      pipelines.map(pipeline =>
        openLine({
          pipeline, broker, registry, models: source, instance: this.#options.instance,
          config: { ...INFERENCE_DEFAULTS, ...this.#options.config },
          clock: this.#clock, random: this.#options.random ?? systemRandom, metrics: this.#metrics,
          tracing: this.#options.tracing ?? noTracing, logger: this.#logger.child({ pipeline: pipeline.name }), ride,
          learn: of => control.catchUp(of),
        }),
      ),
    ); // prettier-ignore
    for (const { processor } of this.#lines) processor.failed.catch(this.#fail);
    await control.start(signal);
    // In one stretch, so that no change slips in between; nothing is loaded that was replaced long ago.
    for (const line of this.#lines) {
      for (const [key, record] of control.entries()) line.change(key, record);
      line.check();
      control.onChange((key, record) => line.change(key, record));
    }
    await Promise.all(this.#lines.map(line => this.#begin(line, signal)));
    this.#problem = undefined;
  }

  #beside(): Beside | undefined {
    const { gpu = INFERENCE_DEFAULTS.gpu } = this.#options.config ?? {};
    if (gpu === 'off') return undefined;
    return { gpu, refused: err => this.#logger.error({ err }, 'a model is not on its second engine') };
  }

  /** A pipeline joins its group once a model is in force: until then its records wait where they are. */
  async #begin(line: Line, signal: AbortSignal): Promise<void> {
    await line.settled();
    if (line.hasModel) return line.processor.start(signal);
    const later = async (): Promise<void> => {
      await line.first;
      if (this.#stopping === undefined && !signal.aborted) await line.processor.start(signal);
    };
    later().catch(this.#fail);
  }

  notReady(): string | undefined {
    if (this.#problem !== undefined) return this.#registry.notReady() ?? this.#problem;
    const control = this.#control?.notReady();
    if (control !== undefined) return control;
    for (const line of this.#lines) {
      const reason = line.notReady();
      if (reason !== undefined) return `${line.pipeline.name}: ${reason}`;
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
    await Promise.all(this.#lines.map(line => line.close()));
  }
}

/** Scores the vectors of each pipeline with the model that the control topic names, and publishes predictions. */
export const inferenceService = (options: InferenceOptions): Component => new InferenceService(options);
