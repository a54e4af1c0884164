import { Bad, type Codec } from '@millrace/avro';
import {
  type Epoch,
  EPOCH_NONE,
  EpochGatherer,
  epochOf,
  type EpochParts,
  liveMiddleMs,
  partsOf,
} from '@millrace/features';
import type { InboundBatch, Outcomes, PartitionOffset, Task, TaskContext } from '@millrace/stream';
import { TaskBook } from './book.ts';
import type { EntityCache } from './entityCache.ts';
import { EpochSource, type EpochSourceOptions } from './epochSource.ts';
import { foldRows } from './fold.ts';
import { type LaneWriter, laneWriter } from './lanes.ts';
import { type Held, type OpenBatch, OpenBatches } from './openBatch.ts';
import { markerHop } from './plan.ts';
import type { ProgressView } from './progress.ts';
import { readSent, type Row } from './row.ts';
import type { Inbound, Outputs, RepartitionValue } from './values.ts';
import { type VectorWriter, vectorWriter, type VectorWriterOptions } from './vector.ts';
import { StageViews } from './views.ts';

export interface EpochTaskOptions extends EpochSourceOptions, VectorWriterOptions {
  readonly progress: ProgressView;
  /** Of the events, by stream: what another stage sent carries the event as it was read. */
  readonly events: ReadonlyMap<string, Codec<Inbound>>;
  readonly lanes: Codec<RepartitionValue>;
  readonly cache: EntityCache;
}

interface Gathering {
  /** Index among the further stages; the last stage comes behind them. */
  readonly index: number;
  readonly name: string;
  readonly gatherer: EpochGatherer<Row, Held>;
  readonly views: StageViews | undefined;
}

/**
 * One task of a pipeline with several keys: the source, every further stage and the last stage of one partition, all in
 * one transaction. Everything that can be applied is applied in one synchronous stretch (`#advance`), so that what
 * belongs together is committed together.
 */
export class EpochTask implements Task<Inbound, Outputs> {
  readonly #options: EpochTaskOptions;
  readonly #context: TaskContext<Outputs>;
  readonly #book: TaskBook;
  readonly #source: EpochSource;
  readonly #views: StageViews | undefined;
  /** By input topic. */
  readonly #gatherings: ReadonlyMap<string, Gathering>;
  readonly #lanes: LaneWriter;
  readonly #vectors: VectorWriter;
  readonly #batches: OpenBatches;
  readonly #unlisten: () => void;
  #turn: Promise<void> = Promise.resolve();
  /** Ends of partitions that wait for their turn; none where a batch came behind them. */
  #ends: PartitionOffset[] | undefined;
  /** What the others were known to have done at the last look. */
  #known = { headMax: EPOCH_NONE, releasedMin: EPOCH_NONE };
  /** Somebody waits for what was applied: the other stages for rows and markers, inference for vectors. */
  #isAwaited = false;

  constructor(options: EpochTaskOptions, context: TaskContext<Outputs>) {
    const { plan } = options;
    this.#options = options;
    this.#context = context;
    const book = new TaskBook(context.state, plan.set.hash, plan.pipeline.partitions, options.history.run);
    this.#book = book;
    this.#source = new EpochSource(options, context, book);
    this.#views = plan.first === undefined ? undefined : new StageViews(plan.first, context, options.cache);
    const gathering = (index: number, name: string, views: StageViews | undefined): Gathering => {
      return {
        index,
        name,
        views,
        gatherer: new EpochGatherer(plan.pipeline.partitions, book.appliedBy(name)),
      };
    };
    this.#gatherings = new Map([
      ...plan.further.map(({ stage, topic }, index) => {
        return [topic, gathering(index, stage.key, new StageViews(stage, context, options.cache))] as const;
      }),
      [plan.topics.release!, gathering(plan.further.length, 'release', undefined)],
    ]);
    this.#lanes = laneWriter(plan, context.id, context.out, options.lanes);
    this.#vectors = vectorWriter(plan, context, options);
    this.#batches = new OpenBatches(context.signal);
    this.#unlisten = options.progress.onChange(() => this.#onProgress());
    context.signal.addEventListener('abort', this.#unlisten, { once: true });
    // Where an earlier life had read too far ahead, nothing is read before the others have come after.
    this.#source.pace(options.progress.releasedMin);
  }

  handle(batch: InboundBatch<Inbound>, out: Outcomes<Outputs>): Promise<void> {
    this.#ends = undefined;
    const open = this.#batches.open(batch, out);
    return this.#inTurn(async () => {
      const gathering = this.#gatherings.get(batch.topic);
      if (gathering === undefined) this.#source.read(batch, open);
      else await this.#readSent(gathering, batch, open);
      this.#advance();
    }).then(() => open.settled);
  }

  onCaughtUp(at: PartitionOffset): void {
    if (this.#gatherings.has(at.topic)) return;
    // A fetch tells it of every partition in one stretch, so often nothing else: that is one turn.
    if (this.#ends !== undefined) return void this.#ends.push(at);
    const ends = (this.#ends = [at]);
    const said = this.#inTurn(() => {
      if (this.#ends === ends) this.#ends = undefined;
      const isSource = ends.map(end => this.#source.caughtUp(end));
      if (isSource.includes(true)) this.#advance();
    });
    // A turn that failed has told its own handler, which ends the task.
    said.catch(() => undefined);
  }

  /** What only other tasks can send; undefined when this one has itself to thank for standing still. */
  waitsFor(): string | undefined {
    for (const { name, gatherer } of this.#gatherings.values()) {
      const { laggards } = gatherer;
      if (laggards.length > 0 && !laggards.includes(this.#context.id))
        return `epochs of task ${laggards.join(', ')} for its ${name}`;
    }
    return undefined;
  }

  /** Most of what the others publish changes neither the highest head nor the least progress. */
  #onProgress(): void {
    const { headMax, releasedMin } = this.#options.progress;
    if (headMax === this.#known.headMax && releasedMin === this.#known.releasedMin) return;
    this.#known = { headMax, releasedMin };
    this.#advance();
  }

  onTime(): void {
    this.#advance();
    this.#options.freshness.report();
  }

  onRevoke(): void {
    this.#unlisten();
  }

  /** Batches are taken in the order of their calls, also where one has to wait for a schema. */
  #inTurn(work: () => void | Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work);
    return this.#turn;
  }

  async #readSent({ gatherer }: Gathering, batch: InboundBatch<Inbound>, open: OpenBatch): Promise<void> {
    const sent: (RepartitionValue | Bad | null)[] = [];
    for (let i = 0; i < batch.length; i++) sent.push(batch.value(i) as RepartitionValue | Bad | null);
    await this.#prepare(sent);
    if (this.#context.signal.aborted) return;
    sent.forEach((value, i) => {
      if (value === null) return open.skip(i, 'tombstone');
      if (value instanceof Bad) return open.reject(i, value.reason, value);
      const held = { batch: open, i };
      const epoch = epochOf(value.epoch);
      const kept =
        value.row === null
          ? gatherer.marker(value.lane, epoch, held)
          : gatherer.row(epoch, readSent(this.#options.plan, value.row, this.#fieldsOf(value.row), held));
      if (!kept) open.skip(i, 'applied');
    });
  }

  async #prepare(sent: readonly (RepartitionValue | Bad | null)[]): Promise<void> {
    for (const [stream, codec] of this.#options.events) {
      const values: Uint8Array[] = [];
      for (const value of sent)
        if (value !== null && !(value instanceof Bad) && value.row?.stream === stream)
          values.push(value.row.value);
      await codec.prepare(values);
    }
  }

  #fieldsOf({ stream, value }: NonNullable<RepartitionValue['row']>): Inbound {
    const fields = this.#options.events.get(stream)?.decode(value);
    // The source has read these bytes, so they are good: what fails now is the world.
    if (fields === undefined || fields instanceof Bad)
      throw new Error(`a sent event of ${stream} cannot be read: ${fields?.message ?? 'no such stream'}`);
    return fields;
  }

  /** Applies everything that can be applied now. */
  #advance(): void {
    if (this.#context.signal.aborted) return;
    try {
      this.#cut();
      for (const gathering of this.#gatherings.values()) this.#gather(gathering);
      this.#publish();
      this.#source.pace(this.#options.progress.releasedMin);
      // What nobody waits for (the progress of an epoch without rows) goes with the next commit.
      if (this.#book.flush() && this.#isAwaited) this.#context.commitSoon();
      this.#isAwaited = false;
    } catch (error) {
      this.#context.fail(error as Error);
    }
  }

  #cut(): void {
    const { plan, progress } = this.#options;
    const cut = this.#source.cut(progress.headMax);
    if (cut === undefined) return;
    for (const { epoch, rows } of cut.epochs)
      foldRows(plan, -1, this.#views, rows, (row, hop) => this.#lanes.row(epoch, row, hop));
    this.#views?.flush();
    this.#lanes.marker(cut.closed, markerHop(plan, -1));
    this.#isAwaited = true;
  }

  #gather({ index, name, gatherer, views }: Gathering): void {
    const { plan } = this.#options;
    const complete = gatherer.take();
    if (complete === undefined) return;
    const isLast = name === 'release';
    for (const { epoch, rows } of complete.epochs)
      if (isLast) {
        this.#vectors.write(rows, partsOf(epoch).phase);
        for (const { held } of rows) held.batch.done(held.i);
      } else foldRows(plan, index, views, rows, (row, hop) => this.#lanes.row(epoch, row, hop));
    views?.flush();
    for (const held of complete.markers) held.batch.done(held.i);
    if (!isLast) this.#lanes.marker(complete.applied, markerHop(plan, index));
    if (!isLast || complete.epochs.length > 0) this.#isAwaited = true;
    this.#book.apply(name, complete.applied);
    const task = String(this.#context.id);
    this.#options.metrics.set('millrace_epoch_applied', { stage: name, task }, partsOf(complete.applied).n);
  }

  /**
   * Head and progress, in the transaction that they speak of. A head that another task has published says nothing new.
   * Others close an epoch by it, and none before that has ended: until its middle it waits for a commit that is made
   * anyhow. Where every task has rows, that saves each a transaction an epoch.
   */
  #publish(): void {
    const { progress, clock, cutter } = this.#options;
    const released = this.#book.appliedBy('release');
    const isNewHead = this.#source.head > Math.max(this.#book.head, progress.headMax);
    const isDue = this.#isAwaited || clock.now() >= liveMiddleMs(this.#source.head, cutter.epochMs);
    const tellsHead = isNewHead && isDue;
    if (!tellsHead && released <= this.#book.released) return;
    const head = tellsHead ? this.#source.head : this.#book.head;
    const task = this.#context.id;
    const parts = (epoch: Epoch): EpochParts | null => (epoch === EPOCH_NONE ? null : partsOf(epoch));
    this.#book.publish(head, released);
    if (tellsHead) this.#isAwaited = true;
    const value = { task, head: parts(head), released: parts(released) };
    this.#context.out.emit('progress', Buffer.from(String(task)), value, task);
  }
}
