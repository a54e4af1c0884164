/**
 * One task's lane: gathers rows of its runs into batches, asks, and closes each row. Rows wait in the fetched runs, whose
 * bytes stay valid until the run's promise settles, and are decoded only when their batch is cut. States: idle (nothing
 * waits), gathering (until a batch is full or its first row has waited long enough), asking (one batch at a time, so
 * that order is kept; what arrives meanwhile makes the next batch larger), ended (revoked or failed: nothing is closed
 * any more, the next owner reads it again).
 */
import { Bad } from '@millrace/avro';
import type { FeaturesValue, PredictionValue } from '@millrace/contracts';
import { type Pipeline, hashFeatureSet } from '@millrace/define';
import type { InboundBatch, Outcomes, Task } from '@millrace/stream';
import { type Clock, type Logger, type Metrics, processSpan, type Tracing } from '@millrace/telemetry';
import type { Answered } from './answer.ts';
import { type Answers, ask } from './ask.ts';
import type { Board, Chosen } from './board.ts';

export interface PredictionOutputs {
  readonly predictions: PredictionValue;
}

export interface LaneOptions {
  readonly pipeline: Pipeline;
  readonly board: Pick<Board, 'choose' | 'smaller' | 'restore'>;
  readonly predict: (answered: Answered) => PredictionValue;
  /** Name of this lane in batch ids: instance and task. */
  readonly name: string;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  readonly logger: Logger;
}

interface Run {
  readonly batch: InboundBatch<FeaturesValue>;
  readonly out: Outcomes<PredictionOutputs>;
  readonly atMs: number;
  readonly settled: PromiseWithResolvers<void>;
  next: number; // first row not yet taken
  open: number; // rows not yet closed
}

interface Row {
  readonly run: Run;
  readonly i: number;
  readonly vector: FeaturesValue;
}

const encoder = new TextEncoder();

const closed = (run: Run, rows: number): void => {
  run.open -= rows;
  if (run.open === 0) run.settled.resolve();
};

export class Lane implements Task<FeaturesValue, PredictionOutputs> {
  readonly #options: LaneOptions;
  readonly #signal: AbortSignal;
  readonly #featureSetHash: string;
  readonly #runs: Run[] = [];
  #waiting = 0;
  #batches = 0;
  #pumping = false;
  /** Called when rows arrive while a batch gathers. */
  #arrived: (() => void) | undefined;

  /** @param signal aborted when the task is revoked or fails */
  constructor(options: LaneOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#featureSetHash = hashFeatureSet(options.pipeline);
    signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  handle(batch: InboundBatch<FeaturesValue>, out: Outcomes<PredictionOutputs>): Promise<void> {
    if (batch.length === 0 || this.#signal.aborted) return Promise.resolve();
    const settled = Promise.withResolvers<void>();
    const atMs = this.#options.clock.now();
    this.#runs.push({ batch, out, atMs, settled, next: 0, open: batch.length });
    this.#waiting += batch.length;
    this.#arrived?.();
    // What goes wrong in it rejects the promises of the runs.
    if (!this.#pumping) void this.#pump();
    return settled.promise;
  }

  #end(): void {
    for (const run of this.#runs) run.settled.resolve();
    this.#runs.length = 0;
    this.#waiting = 0;
    this.#arrived?.();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    let taken: readonly Row[] = [];
    try {
      while (this.#waiting > 0 && !this.#signal.aborted) {
        await this.#gather();
        const chosen = this.#choose();
        try {
          taken = this.#take(chosen);
          if (taken.length > 0) await this.#score(taken, chosen);
        } finally {
          chosen.lease.release();
        }
      }
    } catch (error) {
      for (const run of new Set([...taken.map(row => row.run), ...this.#runs])) run.settled.reject(error);
      this.#runs.length = 0;
      this.#waiting = 0;
    } finally {
      this.#pumping = false;
    }
  }

  #choose(): Chosen {
    const chosen = this.#options.board.choose();
    if (chosen === undefined) throw new Error('no model is in force');
    return chosen;
  }

  /** Resolves when the batch is full, its first row has waited long enough, or the lane has ended. */
  async #gather(): Promise<void> {
    const { lease } = this.#choose();
    const { bounds } = lease.model;
    // Only the bounds are of interest: a model that leaves need not wait until the batch is gathered.
    lease.release();
    const { clock } = this.#options;
    const first = this.#runs[0];
    if (first === undefined) return;
    const untilMs = first.atMs + bounds.waitMsMax;
    const full = (): boolean => this.#waiting === 0 || this.#waiting >= bounds.rowsMax();
    if (full() || clock.now() >= untilMs) return;
    const stop = new AbortController();
    this.#arrived = () => {
      if (full()) stop.abort();
    };
    // An aborted sleep is a full batch: there is nothing to report.
    await clock.sleep(untilMs - clock.now(), stop.signal).catch(() => undefined);
    this.#arrived = undefined;
  }

  /** Cuts a batch: decodes rows in order, closing at once those that are not to be scored. */
  #take({ lease }: Chosen): Row[] {
    const rowsMax = lease.model.bounds.rowsMax();
    const rows: Row[] = [];
    while (rows.length < rowsMax) {
      const run = this.#runs[0];
      if (run === undefined) break;
      const i = run.next++;
      this.#waiting--;
      if (run.next === run.batch.length) this.#runs.shift();
      const vector = this.#scorable(run, i);
      if (vector === undefined) closed(run, 1);
      else rows.push({ run, i, vector });
    }
    return rows;
  }

  #scorable({ batch, out }: Run, i: number): FeaturesValue | undefined {
    const value = batch.value(i);
    if (value === null) out.skip(i, 'tombstone');
    else if (value instanceof Bad) out.reject(i, value.reason, value);
    else if (
      value.featureSet !== this.#options.pipeline.features.version ||
      value.featureSetHash !== this.#featureSetHash
    )
      out.reject(
        i,
        'feature-mismatch',
        `the vector is of feature set v${value.featureSet}, hash ${value.featureSetHash}; the model needs another`,
      );
    else return value;
    return undefined;
  }

  async #score(rows: readonly Row[], chosen: Chosen): Promise<void> {
    const { pipeline, clock, metrics, tracing } = this.#options;
    const { name } = chosen.lease.model.model.manifest;
    const labels = { pipeline: pipeline.name, model: name };
    const startMs = clock.now();
    for (const { run } of rows)
      metrics.observe('millrace_model_queue_seconds', labels, Math.max(0, startMs - run.atMs) / 1000);
    const vectors = rows.map(row => row.vector);
    const { topic, partition } = rows[0]!.run.batch;
    const traceparents = vectors.flatMap(vector => vector.traceparent ?? []);
    const answers = await processSpan(tracing, { topic, partition, rows: rows.length, traceparents }, () =>
      ask(this.#options, chosen.lease.model, vectors),
    );
    for (const call of answers.calls) {
      const by = { pipeline: pipeline.name, model: answers.by.model };
      metrics.observe('millrace_model_batch_rows', by, call.rows);
      metrics.observe('millrace_model_compute_seconds', by, call.ms / 1000);
    }
    if (this.#signal.aborted) for (const { run } of rows) run.settled.resolve();
    else this.#close(rows, answers, chosen);
  }

  /** Predictions and closings of a batch, in one synchronous stretch. */
  #close(rows: readonly Row[], answers: Answers, { inForce }: Chosen): void {
    const { pipeline, predict, clock, metrics, name } = this.#options;
    const scoredAt = clock.now();
    const batchId = `${name}-${this.#batches++}`;
    for (const [row, { run, i, vector }] of rows.entries()) {
      const failure = answers.failed.get(row);
      if (failure === undefined) {
        const prediction = predict({
          vector,
          vectorOffset: run.batch.offset(i),
          outputs: answers.outputs(row),
          by: answers.by,
          inForce,
          scoredAt,
          batchId,
        });
        run.out.emitFor(i, 'predictions', run.batch.key(i) ?? encoder.encode(vector.entity), prediction);
        run.out.done(i);
        this.#count(pipeline.name, prediction, metrics);
      } else run.out.reject(i, 'scoring-failed', failure);
      closed(run, 1);
    }
  }

  #count(pipeline: string, prediction: PredictionValue, metrics: Metrics): void {
    metrics.count('millrace_predictions_total', { pipeline, decision: prediction.decision });
    if (prediction.fallback !== null)
      metrics.count('millrace_records_fallback_total', { pipeline, reason: prediction.fallback });
    const [score] = Object.values(prediction.outputs);
    if (score !== undefined) metrics.observe('millrace_prediction_score', { pipeline }, score);
    const seconds = Math.max(0, prediction.scoredAt - prediction.appendTime) / 1000;
    metrics.observe('millrace_end_to_end_seconds', { pipeline, step: 'scored' }, seconds);
  }
}
