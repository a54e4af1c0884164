import type { FeaturesValue } from '@millrace/contracts';
import type { InboundBatch, Outcomes, Task } from '@millrace/stream';
import type { PredictionOutputs } from '../laneOptions.ts';
import { countBelow } from './newest.ts';

/** Rows that are on their way to the model at once, for each task: how soon a night can give way. */
export const ROWS_AT_ONCE = 256;

type Batch = InboundBatch<FeaturesValue>;
type Out = Outcomes<PredictionOutputs>;

/** Some records of a batch as a batch of their own. */
const some = (batch: Batch, at: readonly number[]): Batch => ({
  topic: batch.topic,
  partition: batch.partition,
  length: at.length,
  offset: i => batch.offset(at[i]!),
  appendTimeMs: i => batch.appendTimeMs(at[i]!),
  key: i => batch.key(at[i]!),
  bytes: i => batch.bytes(at[i]!),
  header: (i, name) => batch.header(at[i]!, name),
  value: i => batch.value(at[i]!),
});

export const answersOf = (out: Out, at: readonly number[]): Out => ({
  emit: (to, key, value, partition) => out.emit(to, key, value, partition),
  put: (to, shared) => out.put(to, shared),
  emitFor: (i, to, key, value, partition) => out.emitFor(at[i]!, to, key, value, partition),
  answer: (i, to, shared) => out.answer(at[i]!, to, shared),
  done: i => out.done(at[i]!),
  skip: (i, reason) => out.skip(at[i]!, reason),
  reject: (i, reason, cause) => out.reject(at[i]!, reason, cause),
});

export interface NightTaskOptions {
  /** What scores them: a lane like the stream's. */
  readonly lane: Task<FeaturesValue, PredictionOutputs>;
  /** Offsets of the vectors that are scored, in rising order. */
  readonly offsets: Float64Array;
  /** Resolves when the night may go on, or the signal is aborted. */
  readonly mayGoOn: (signal: AbortSignal) => Promise<void>;
  /** Everything of this task's slice has been handed over: no more need be read. */
  readonly sliceRead: () => void;
}

/** Hands the newest vectors of a slice to a lane, a few at a time; what is older or behind the slice is passed over. */
export class NightTask implements Task<FeaturesValue, PredictionOutputs> {
  readonly #options: NightTaskOptions;
  /** One batch after the other, so that what is on its way to the model stays bounded. */
  #before: Promise<void> = Promise.resolve();

  constructor(options: NightTaskOptions) {
    this.#options = options;
  }

  handle(batch: Batch, out: Out, signal: AbortSignal): Promise<void> {
    this.#before = this.#before.then(() => this.#handle(batch, out, signal));
    return this.#before;
  }

  async #handle(batch: Batch, out: Out, signal: AbortSignal): Promise<void> {
    const { lane, offsets, mayGoOn, sliceRead } = this.#options;
    if (batch.length === 0) return;
    const wanted: number[] = [];
    let next = countBelow(offsets, batch.offset(0));
    for (let i = 0; i < batch.length; i++) {
      const offset = batch.offset(i);
      while (next < offsets.length && offsets[next]! < offset) next++;
      if (offsets[next] === offset) wanted.push(i);
      else if (!signal.aborted) out.skip(i, 'outside-slice');
    }
    if (batch.offset(batch.length - 1) >= (offsets.at(-1) ?? 0)) sliceRead();
    for (let first = 0; first < wanted.length; first += ROWS_AT_ONCE) {
      await mayGoOn(signal);
      if (signal.aborted) return;
      const at = wanted.slice(first, first + ROWS_AT_ONCE);
      await lane.handle(some(batch, at), answersOf(out, at), signal);
    }
  }
}
