import {
  type Cut,
  type CutterOptions,
  type Epoch,
  orderTime,
  partsOf,
  SourceCutter,
} from '@millrace/features';
import type { InboundBatch, PartitionOffset, TaskContext } from '@millrace/stream';
import type { Clock, Metrics } from '@millrace/telemetry';
import type { TaskBook } from './book.ts';
import type { Freshness } from './freshness.ts';
import type { InputHistory, SetHistory } from './history.ts';
import type { OpenBatch } from './openBatch.ts';
import type { Plan } from './plan.ts';
import { recordCut } from './recorded.ts';
import { readSource, type Row } from './row.ts';
import type { Inbound, Outputs } from './values.ts';

export interface EpochSourceOptions {
  readonly plan: Plan;
  readonly cutter: Omit<CutterOptions, 'histories'>;
  readonly history: SetHistory;
  readonly freshness: Freshness;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** The event partitions of one task: reads them, cuts them into epochs, and lets those rest that are too far ahead. */
export class EpochSource {
  readonly #options: EpochSourceOptions;
  readonly #context: TaskContext<Outputs>;
  readonly #book: TaskBook;
  readonly #topics: readonly string[];
  readonly #cutter: SourceCutter<Row>;
  readonly #history: readonly InputHistory[];
  readonly #paused = new Set<string>();
  #bumped = 0;

  /** @throws RangeError where its past cannot be cut with so few epochs ahead */
  constructor(options: EpochSourceOptions, context: TaskContext<Outputs>, book: TaskBook) {
    this.#options = options;
    this.#context = context;
    this.#book = book;
    this.#history = options.history.of(context.id);
    this.#topics = options.plan.sources.map(({ topic }) => topic);
    const positions = this.#topics.map(
      topic => context.positions.find(at => at.topic === topic)?.offset ?? 0,
    );
    const histories = this.#history.map(({ history }) => history);
    this.#cutter = new SourceCutter({ ...options.cutter, histories }, positions, book.cutterOf(this.#topics));
  }

  /** Epoch of the newest record read, closed or not. */
  get head(): Epoch {
    return this.#cutter.head;
  }

  read(batch: InboundBatch<Inbound>, open: OpenBatch): void {
    const { plan, freshness } = this.#options;
    const input = this.#topics.indexOf(batch.topic);
    for (let i = 0; i < batch.length; i++) {
      const held = { batch: open, i };
      const offset = batch.offset(i);
      const isOutside = offset < this.#history[input]!.from;
      const row = isOutside ? 'outside-slice' : readSource(plan, plan.sources[input]!, batch, i, held);
      if (typeof row === 'object' && !('reason' in row)) {
        freshness.seen(row.event.stream, row.event.time);
        const isKept = this.#cutter.add(input, offset, row.appendTimeMs, orderTime(row.event), row);
        if (!isKept) open.skip(i, 'applied');
        continue;
      }
      this.#cutter.pass(input, offset);
      if (typeof row === 'string') open.skip(i, row);
      else open.reject(i, row.reason, row.cause);
    }
  }

  /** @returns false where the partition is none of events */
  caughtUp({ topic, offset }: PartitionOffset): boolean {
    const input = this.#topics.indexOf(topic);
    if (input >= 0) this.#cutter.caughtUp(input, offset);
    return input >= 0;
  }

  /** Closes what can be closed, and writes down what that was; its rows are still to be folded. */
  cut(headMax: Epoch): Cut<Row> | undefined {
    const { plan, clock, metrics } = this.#options;
    const cut = this.#cutter.cut(clock.now(), headMax);
    const bumped = this.#cutter.bumped - this.#bumped;
    this.#bumped = this.#cutter.bumped;
    if (bumped > 0) metrics.count('millrace_records_bumped_total', { pipeline: plan.pipeline.name }, bumped);
    if (cut === undefined) return undefined;
    recordCut(plan, this.#context, cut);
    this.#book.cut(this.#topics, this.#cutter.state());
    const task = String(this.#context.id);
    metrics.set('millrace_epoch_applied', { stage: 'source', task }, partsOf(cut.closed).n);
    return cut;
  }

  /** @param released the epoch up to which everything is answered and committed */
  pace(released: Epoch): void {
    this.#cutter.pace(released).forEach((rest, input) => {
      const topic = this.#topics[input]!;
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
