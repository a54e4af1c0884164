import { Bad } from '@millrace/avro';
import { CHAMPION, type ControlRecord } from '@millrace/contracts';
import type { Pipeline, Route } from '@millrace/define';
import { type BatchLimits, type Lease, ModelRefused, modelSlot, type Slot } from '@millrace/model';
import type { Clock, Logger, Metrics } from '@millrace/telemetry';
import { ControlEntries, type Wanted } from './inForce.ts';
import { type ModelSource, type Serving, servingOf } from './models.ts';

/** What was in force when a batch was cut. Changes take effect between batches, all of a revision together. */
export interface InForce {
  readonly controlRevision: number;
  readonly thresholds: Readonly<Record<string, number>>;
  /** In order; none: everything is answered in the stream. */
  readonly routes: readonly Route[];
  readonly routeVersion: number;
  readonly arm: string;
}

export interface Chosen {
  readonly lease: Lease<Serving>;
  readonly inForce: InForce;
}

export interface BoardOptions {
  readonly pipeline: Pipeline;
  /** Names of the alias whose model answers: the first that the control topic has. */
  readonly aliases: readonly string[];
  readonly models: ModelSource;
  readonly limits: BatchLimits;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** Shortest time between two attempts to bring back a model whose engine was lost. */
const RESTORE_MS_LEAST = 5_000;

/**
 * What is in force for one pipeline: follows the control topic, loads what it names, and tells each batch what to use.
 * A model that cannot be loaded leaves the old one in force, with the revision under which that one came; without an
 * old one the board is not ready, and says why.
 */
export class Board {
  readonly #options: BoardOptions;
  readonly #entries: ControlEntries;
  readonly #slot: Slot<Serving>;
  readonly #smaller = new Map<string, Slot<Serving>>();
  readonly #first = Promise.withResolvers<void>();
  #inForce: InForce | undefined;
  #alias: NonNullable<Wanted['alias']> | undefined;
  #problem = 'the control topic names no model yet';
  #work: Promise<void> = Promise.resolve();
  #restoredMs = Number.NEGATIVE_INFINITY;
  #closed = false;
  /** An application is under way that has not yet looked at the entries: it will see further changes too. */
  #applying = false;

  constructor(options: BoardOptions) {
    this.#options = options;
    this.#entries = new ControlEntries(options.pipeline, options.aliases);
    this.#slot = this.#newSlot();
  }

  /** Resolves when a model is in force for the first time. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  #newSlot(): Slot<Serving> {
    return modelSlot(err => this.#options.logger.error({ err }, 'a model that left could not be freed'));
  }

  /** Version of the feature set that is to be served; undefined where nobody has said it. */
  get wantedSet(): number | undefined {
    return this.#entries.wanted().featureSet;
  }

  /** Takes one change of the control table; it is in force once `settled`. */
  change(key: string, record: ControlRecord | undefined): void {
    const changed = this.#entries.apply(key, record);
    if (changed instanceof Bad)
      this.#options.logger.error({ reason: changed.message }, 'a control record is ignored');
    else if (changed && !this.#applying) {
      this.#applying = true;
      this.#later(() => this.#apply());
    }
  }

  /** Resolves when every change so far is in force, or refused. */
  async settled(): Promise<void> {
    await this.#work;
  }

  #later(work: () => Promise<void>): void {
    this.#work = this.#work.then(async () => {
      if (!this.#closed) await work();
    });
  }

  async #apply(): Promise<void> {
    this.#applying = false;
    const wanted = this.#entries.wanted();
    const { alias } = wanted;
    const same = alias?.model === this.#alias?.model && alias?.version === this.#alias?.version;
    if (alias === undefined) {
      this.#problem = `the control topic names no model for alias '${this.#options.aliases.join("' or '")}'`;
    } else if (same) {
      this.#alias = alias;
    } else if (await this.#swap(alias, wanted)) return;
    if (this.#alias !== undefined) this.#enforce(wanted);
  }

  #enforce({ revision, thresholds, routes, routeVersion }: Wanted): void {
    const controlRevision = Math.max(revision, this.#alias?.revision ?? 0);
    this.#inForce = { controlRevision, thresholds, routes, routeVersion, arm: CHAMPION };
    this.#options.logger.info({ controlRevision }, 'control revision in force');
  }

  /** @returns whether the model is in force now */
  async #swap(alias: NonNullable<Wanted['alias']>, wanted: Wanted): Promise<boolean> {
    const { logger, metrics, pipeline } = this.#options;
    const before = this.#slot.lease();
    try {
      await this.#slot.swap(
        () => this.#load(alias.model, alias.version),
        serving => {
          this.#alias = alias;
          this.#enforce(wanted);
          if (before !== undefined)
            for (const info of infoOf(pipeline, before.model)) metrics.set('millrace_model_info', info, 0);
          for (const info of infoOf(pipeline, serving)) metrics.set('millrace_model_info', info, 1);
        },
      );
      this.#first.resolve();
      return true;
    } catch (err) {
      this.#problem = err instanceof Error ? err.message : String(err);
      logger.error({ err, model: alias.model, version: alias.version }, 'the model is not served');
      return false;
    } finally {
      before?.release();
    }
  }

  async #load(name: string, version?: string): Promise<Serving> {
    const { models, pipeline, limits } = this.#options;
    const model = await models.load(name, version, version === undefined ? pipeline : undefined);
    if (model === undefined)
      throw new ModelRefused(`${name} ${version ?? ''}`.trim(), [
        version === undefined
          ? `there is no model of this name for version ${pipeline.features.version} of the feature set in the model folder`
          : 'there is no such model in the model folder',
      ]);
    return servingOf(pipeline, model, limits);
  }

  /** Loads the smaller models of the fallback chain; those that cannot be had are passed over when they are needed. */
  async loadSmaller(): Promise<void> {
    for (const name of this.#options.pipeline.model.fallback) {
      if (typeof name !== 'string') continue;
      const slot = this.#newSlot();
      try {
        await slot.swap(() => this.#load(name));
        this.#smaller.set(name, slot);
      } catch (err) {
        this.#options.logger.warn({ err, model: name }, 'a fallback model is not loaded');
      }
    }
  }

  /** Model and settings of the next batch, of one and the same revision. Undefined until a model is in force. */
  choose(): Chosen | undefined {
    const inForce = this.#inForce;
    const lease = inForce === undefined ? undefined : this.#slot.lease();
    return lease === undefined || inForce === undefined ? undefined : { lease, inForce };
  }

  smaller(name: string): Lease<Serving> | undefined {
    return this.#smaller.get(name)?.lease();
  }

  /** The engine of the model in force is gone: loads it again, unless that was tried just now. */
  restore(): void {
    const nowMs = this.#options.clock.now();
    if (nowMs - this.#restoredMs < RESTORE_MS_LEAST) return;
    this.#restoredMs = nowMs;
    this.#later(async () => {
      const alias = this.#alias;
      if (alias !== undefined) await this.#swap(alias, this.#entries.wanted());
    });
  }

  notReady(): string | undefined {
    return this.#inForce === undefined ? this.#problem : undefined;
  }

  /** Waits for leases to come back, then frees all models. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#work;
    await Promise.all([this.#slot, ...this.#smaller.values()].map(slot => slot.close()));
  }
}

/** One for each engine. */
const infoOf = (pipeline: Pipeline, { model: { manifest, scorer, beside } }: Serving) =>
  [scorer, ...(beside ? [beside] : [])].map(({ provider }) => ({
    pipeline: pipeline.name,
    model: manifest.name,
    version: manifest.version,
    digest: manifest.sha256,
    provider,
  }));
