import { Bad, type Codec } from '@millrace/avro';
import {
  type CutterOptions,
  type Epoch,
  EPOCH_NONE,
  EpochGatherer,
  epochOf,
  type EpochParts,
  orderTime,
  partsOf,
  SourceCutter,
} from '@millrace/features';
import type { InboundBatch, Outcomes, PartitionOffset, Task, TaskContext } from '@millrace/stream';
import { TaskBook } from './book.ts';
import type { EntityCache } from './entityCache.ts';
import type { Freshness } from './freshness.ts';
import { foldRows } from './fold.ts';
import type { InputHistory, SetHistory } from './history.ts';
import { type LaneWriter, laneWriter } from './lanes.ts';
import { type Held, type OpenBatch, OpenBatches } from './openBatch.ts';
import { markerHop, type Plan } from './plan.ts';
import type { ProgressView } from './progress.ts';
import { recordCut } from './recorded.ts';
import { readSent, readSource, type Row } from './row.ts';
import type { Inbound, Outputs, RepartitionValue } from './values.ts';
import { type VectorWriter, vectorWriter, type VectorWriterOptions } from './vector.ts';
import { StageViews } from './views.ts';

export interface EpochTaskOptions extends VectorWriterOptions {
  readonly plan: Plan;
  readonly progress: ProgressView;
  readonly cutter: Omit<CutterOptions, 'histories'>;
  readonly history: SetHistory;
  /** Of the events, by stream: what another stage sent carries the event as it was read. */
  readonly events: ReadonlyMap<string, Codec<Inbound>>;
  readonly lanes: Codec<RepartitionValue>;
  readonly freshness: Freshness;
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
  readonly #cutter: SourceCutter<Row>;
  readonly #history: readonly InputHistory[];
  readonly #views: StageViews | undefined;
  /** By input topic. */
  readonly #gatherings: ReadonlyMap<string, Gathering>;
  readonly #lanes: LaneWriter;
  readonly #vectors: VectorWriter;
  readonly #batches: OpenBatches;
  readonly #unlisten: () => void;
  readonly #paused = new Set<string>();
  #turn: Promise<void> = Promise.resolve();
  #bumped = 0;
  /** Somebody waits for what was applied: the other stages for rows and markers, inference for vectors. */
  #isAwaited = false;

  constructor(options: EpochTaskOptions, context: TaskContext<Outputs>) {
    const { plan } = options;
    this.#options = options;
    this.#context = context;
    const book = new TaskBook(context.state, plan.set.hash, plan.pipeline.partitions, options.history.run);
    this.#book = book;
    this.#history = options.history.of(context.id);
    const positions = plan.sources.map(
      ({ topic }) => context.positions.find(at => at.topic === topic)?.offset ?? 0,
    );
    const histories = this.#history.map(({ history }) => history);
    this.#cutter = new SourceCutter({ ...options.cutter, histories }, positions, book.cutter);
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
    this.#unlisten = options.progress.onChange(() => this.#advance());
    context.signal.addEventListener('abort', this.#unlisten, { once: true });
    // Where an earlier life had read too far ahead, nothing is read before the others have come after.
    this.#pace();
  }

  handle(batch: InboundBatch<Inbound>, out: Outcomes<Outputs>): Promise<void> {
    const open = this.#batches.open(batch, out);
    return this.#inTurn(async () => {
      const gathering = this.#gatherings.get(batch.topic);
      if (gathering === undefined) this.#readSource(batch, open);
      else await this.#readSent(gathering, batch, open);
      this.#advance();
    }).then(() => open.settled);
  }

  onCaughtUp({ topic, offset }: PartitionOffset): void {
    const input = this.#options.plan.sources.findIndex(source => source.topic === topic);
    if (input < 0) return;
    const said = this.#inTurn(() => {
      this.#cutter.caughtUp(input, offset);
      this.#advance();
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

  #readSource(batch: InboundBatch<Inbound>, open: OpenBatch): void {
    const { plan } = this.#options;
    const input = plan.sources.findIndex(({ topic }) => topic === batch.topic);
    for (let i = 0; i < batch.length; i++) {
      const held = { batch: open, i };
      const offset = batch.offset(i);
      const isOutside = offset < this.#history[input]!.from;
      const row = isOutside ? 'outside-slice' : readSource(plan, plan.sources[input]!, batch, i, held);
      if (typeof row === 'object' && !('reason' in row)) {
        this.#options.freshness.seen(row.event.stream, row.event.time);
        const isKept = this.#cutter.add(input, offset, row.appendTimeMs, orderTime(row.event), row);
        if (!isKept) open.skip(i, 'applied');
        continue;
      }
      this.#cutter.pass(input, offset);
      if (typeof row === 'string') open.skip(i, row);
      else open.reject(i, row.reason, row.cause);
    }
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
      this.#pace();
      // What nobody waits for (the progress of an epoch without rows) goes with the next commit.
      if (this.#book.flush() && this.#isAwaited) this.#context.commitSoon();
      this.#isAwaited = false;
    } catch (error) {
      this.#context.fail(error as Error);
    }
  }

  #cut(): void {
    const { plan, progress, clock, metrics } = this.#options;
    const cut = this.#cutter.cut(clock.now(), progress.headMax);
    const bumped = this.#cutter.bumped - this.#bumped;
    this.#bumped = this.#cutter.bumped;
    if (bumped > 0) metrics.count('millrace_records_bumped_total', { pipeline: plan.pipeline.name }, bumped);
    if (cut === undefined) return;
    for (const { epoch, rows } of cut.epochs)
      foldRows(plan, -1, this.#views, rows, (row, hop) => this.#lanes.row(epoch, row, hop));
    this.#views?.flush();
    this.#lanes.marker(cut.closed, markerHop(plan, -1));
    recordCut(plan, this.#context, cut);
    this.#book.cut(this.#cutter.state());
    this.#isAwaited = true;
    this.#applied('source', cut.closed);
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
    this.#applied(name, complete.applied);
  }

  #applied(stage: string, epoch: Epoch): void {
    const task = String(this.#context.id);
    this.#options.metrics.set('millrace_epoch_applied', { stage, task }, partsOf(epoch).n);
  }

  /** Head and progress, in the transaction that they speak of. A head that another task has published says nothing new. */
  #publish(): void {
    const { progress } = this.#options;
    const released = this.#book.appliedBy('release');
    const isNewHead = this.#cutter.head > Math.max(this.#book.head, progress.headMax);
    if (!isNewHead && released <= this.#book.released) return;
    const head = isNewHead ? this.#cutter.head : this.#book.head;
    const task = this.#context.id;
    const parts = (epoch: Epoch): EpochParts | null => (epoch === EPOCH_NONE ? null : partsOf(epoch));
    this.#book.publish(head, released);
    if (isNewHead) this.#isAwaited = true;
    const value = { task, head: parts(head), released: parts(released) };
    this.#context.out.emit('progress', Buffer.from(String(task)), value, task);
  }

  #pace(): void {
    const { plan, progress } = this.#options;
    this.#cutter.pace(progress.releasedMin).forEach((rest, input) => {
      const { topic } = plan.sources[input]!;
      if (rest === this.#paused.has(topic)) return;
      const at = { topic, partition: this.#context.id };
      if (rest) {
        this.#paused.add(topic);
        this.#context.pause(at);
      } else {
        this.#paused.delete(topic);
        this.#context.resume(at);
      }
    });
  }
}
