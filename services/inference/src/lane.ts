/**
 * One task's lane of one version of the feature set: gathers rows into batches, asks, and closes each row. Rows wait in the fetched runs, whose bytes stay valid until the run's promise settles, and are decoded only when their batch is
 * cut. States: idle (nothing waits), gathering (until a batch is full or its first row has waited long enough), asking (one
 * batch at a time, so that order is kept; what arrives meanwhile makes the next batch larger), waiting for a model (a version
 * that has none yet), ended (revoked or failed: nothing is closed any more, the next owner reads it again).
 */
import { Bad } from '@millrace/avro';
import type { FeaturesValue } from '@millrace/contracts';
import { type InboundBatch, noPlace, type Outcomes, placeOfValue, type Task } from '@millrace/stream';
import { processSpan } from '@millrace/telemetry';
import { ask, measureCalls, staleAnswers } from './ask.ts';
import type { Chosen, InForce } from './board.ts';
import { Closings, keyOf } from './closings.ts';
import { staleness } from './freshness.ts';
import type { LaneOptions, PredictionOutputs } from './laneOptions.ts';
import type { Routed } from './routing.ts';
import { closed, mismatch, type Run, type Taken } from './taken.ts';
import { Vectors } from './vectors.ts';

/** Without a reason of ours each abort would make a DOMException. */
const FULL = new Error('the batch is full');

export class Lane implements Task<FeaturesValue, PredictionOutputs> {
  readonly #options: LaneOptions;
  readonly #signal: AbortSignal;
  readonly #runs: Run[] = [];
  #waiting = 0;
  #pumping = false;
  #lacksModel = false;
  #routesSaid: InForce['routes'] = [];
  /** One row that is only looked at. */
  readonly #glance: Vectors;
  /** Of the batch that is asked. */
  readonly #vectors: Vectors;
  readonly #closings: Closings;
  /** Of a row in hand: where its vector lies, or its key. */
  readonly #place = noPlace();
  readonly #ended = Promise.withResolvers<void>();
  /** Called when rows arrive while a batch gathers. */
  #arrived: (() => void) | undefined;

  /** @param signal aborted when the task is revoked or fails */
  constructor(options: LaneOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#closings = new Closings(options);
    this.#glance = new Vectors(options.reader.rows.slots, 1);
    this.#vectors = new Vectors(options.reader.rows.slots, 1);
    signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Why its rows are not scored yet; undefined where they are. */
  waitsFor(): string | undefined {
    return this.#lacksModel ? this.#options.board.notReady() : undefined;
  }

  handle(batch: InboundBatch<FeaturesValue>, out: Outcomes<PredictionOutputs>): Promise<void> {
    if (batch.length === 0 || this.#signal.aborted) return Promise.resolve();
    const settled = Promise.withResolvers<void>();
    const atMs = this.#options.clock.now();
    const input = this.#options.reader.input(batch.topic);
    this.#runs.push({ batch, out, input, atMs, settled, next: 0, open: batch.length });
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
    this.#ended.resolve();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    let taken: Taken | undefined;
    try {
      while (this.#waiting > 0 && !this.#signal.aborted) {
        this.#passOver();
        if (this.#waiting === 0) continue;
        if (this.#options.board.notReady() !== undefined) await this.#modelInForce();
        if (!this.#signal.aborted) await this.#gather();
        if (this.#signal.aborted) continue;
        const chosen = this.#choose();
        try {
          taken = this.#take(chosen);
          if (taken.vectors.length > 0) await this.#score(taken, chosen);
        } finally {
          chosen.lease.release();
          this.#vectors.clear();
        }
      }
    } catch (error) {
      for (const run of new Set([...(taken?.runs ?? []), ...this.#runs])) run.settled.reject(error);
      this.#runs.length = 0;
      this.#waiting = 0;
    } finally {
      this.#pumping = false;
    }
  }

  /** Closes the rows in front that another version of the set answers: for them no model is needed. */
  #passOver(): void {
    const { owns, reader } = this.#options;
    if (owns === undefined) return;
    for (let run = this.#runs[0]; run !== undefined; run = this.#runs[0]) {
      const { batch, input, next } = run;
      this.#glance.clear();
      const isGood =
        placeOfValue(batch, next, this.#place) && reader.add(this.#glance, input, this.#place) === undefined;
      if (!isGood || this.#isOurs(this.#glance)) return;
      const i = this.#nextOf(run);
      run.out.skip(i, 'other-set');
      closed(run, 1);
    }
  }

  /** Of the row that was added last. */
  #isOurs(vectors: Vectors): boolean {
    const { owns, reader } = this.#options;
    const row = vectors.length - 1;
    return (
      owns === undefined || owns(reader.sourcePartition(vectors, row), reader.sourceOffset(vectors, row))
    );
  }

  async #modelInForce(): Promise<void> {
    this.#lacksModel = true;
    await Promise.race([this.#options.board.first, this.#ended.promise]);
    this.#lacksModel = false;
  }

  #choose(): Chosen {
    const chosen = this.#options.board.choose();
    if (chosen === undefined) throw new Error('no model is in force');
    return chosen;
  }

  /** Resolves when the batch is full, its first row has waited long enough, or the lane has ended; undefined where it need not wait. */
  #gather(): Promise<void> | undefined {
    const { lease } = this.#choose();
    const { bounds } = lease.model;
    // Only the bounds are of interest: a model that leaves need not wait until the batch is gathered.
    lease.release();
    const { clock } = this.#options;
    const first = this.#runs[0];
    if (first === undefined) return undefined;
    const untilMs = first.atMs + bounds.waitMsMax;
    const full = (): boolean => this.#waiting === 0 || this.#waiting >= bounds.rowsMax();
    if (full() || clock.now() >= untilMs) return undefined;
    const stop = new AbortController();
    this.#arrived = () => {
      if (full()) stop.abort(FULL);
    };
    // An aborted sleep is a full batch: there is nothing to report.
    const over = (): void => (this.#arrived = undefined);
    return clock.sleep(untilMs - clock.now(), stop.signal).then(over, over);
  }

  /** Cuts a batch: locates rows in order, closing at once those that are not to be scored. */
  #take({ lease, inForce }: Chosen): Taken {
    const rowsMax = Math.min(lease.model.bounds.rowsMax(), this.#waiting);
    const vectors = this.#vectors.renew(rowsMax);
    const taken: Taken = { runs: [], at: [], routed: [], stale: [], vectors };
    this.#sayRoutes(inForce);
    while (vectors.length < rowsMax) {
      const run = this.#runs[0];
      if (run === undefined) break;
      const i = this.#nextOf(run);
      const routed = this.#takeOne(run, i, vectors, inForce);
      const stale = routed && staleness(this.#options, run, i, vectors);
      if (routed === undefined || stale?.policy === 'refuse') closed(run, 1);
      else {
        taken.runs.push(run);
        taken.at.push(i);
        taken.routed.push(routed);
        taken.stale.push(stale);
      }
    }
    return taken;
  }

  /** Takes one row of the first run. */
  #nextOf(run: Run): number {
    this.#waiting--;
    if (run.next + 1 === run.batch.length) this.#runs.shift();
    return run.next++;
  }

  /** @returns its route; undefined where it is closed, and not to be scored */
  #takeOne({ batch, out, input }: Run, i: number, vectors: Vectors, inForce: InForce): Routed | undefined {
    const { reader } = this.#options;
    if (!reader.place(input, batch, i, this.#place)) {
      out.skip(i, 'tombstone');
      return undefined;
    }
    const problem = reader.add(vectors, input, this.#place);
    if (problem === undefined && !this.#isOurs(vectors)) {
      vectors.pop();
      out.skip(i, 'other-set');
      return undefined;
    }
    if (problem instanceof Bad) out.reject(i, problem.reason, problem);
    else if (problem !== undefined) out.reject(i, 'feature-mismatch', mismatch(batch.value(i)));
    if (problem !== undefined) return undefined;
    const routed = this.#options.route(vectors, vectors.length - 1, inForce, { batch, i });
    // Whoever replays a vector wants its answer now; the night has, or has had, the one that was put off.
    if (routed.to === 'stream' || reader.runOf(input, batch, i) !== undefined) return routed;
    this.#defer({ batch, out }, i, vectors, routed, inForce);
    return undefined;
  }

  /** Puts the vector off until the night, in the transaction that passes it. */
  #defer({ batch, out }: Pick<Run, 'batch' | 'out'>, i: number, vectors: Vectors, { route, routeVersion, review, engine }: Routed, { controlRevision }: InForce): void {
    const { pipeline, metrics, reader } = this.#options;
    const key = keyOf(reader, batch, i, vectors, vectors.length - 1, this.#place);
    vectors.pop();
    const { topic, partition } = batch;
    const vector = Buffer.from(batch.bytes(i)!);
    out.emitFor(i, 'deferred', key.bytes.subarray(key.from, key.to), { route, routeVersion, review, engine: engine ?? null, controlRevision, topic, partition, offset: batch.offset(i), vector });
    out.done(i);
    metrics.count('millrace_records_deferred_total', { pipeline: pipeline.name, route });
  } // prettier-ignore

  /** From where on new rules hold. */
  #sayRoutes({ routes, routeVersion, controlRevision }: InForce): void {
    const run = this.#runs[0];
    if (run === undefined || routes === this.#routesSaid) return;
    this.#routesSaid = routes;
    const { topic, partition } = run.batch;
    const from = { topic, partition, offset: run.batch.offset(run.next) };
    this.#options.logger.info({ ...from, routeVersion, controlRevision }, 'routes in force from here on');
  }

  async #score(taken: Taken, chosen: Chosen): Promise<void> {
    const { pipeline, metrics, tracing, reader } = this.#options;
    const { runs, routed, stale, vectors } = taken;
    const { freshness } = reader;
    if (freshness !== undefined && stale.every(one => one?.policy === 'fallback'))
      return this.#closings.close(taken, staleAnswers(freshness.constant), chosen);
    this.#closings.waited(runs, chosen.lease.model.model.manifest.name);
    const { topic, partition } = runs[0]!.batch;
    const traceparents = reader.traceparents(vectors);
    const answers = await processSpan(tracing, { topic, partition, rows: vectors.length, traceparents }, () =>
      ask(this.#options, chosen.lease.model, { reader, vectors, routed }),
    );
    measureCalls(metrics, pipeline.name, answers);
    if (this.#signal.aborted) for (const run of runs) run.settled.resolve();
    else this.#closings.close(taken, answers, chosen);
  }
}
