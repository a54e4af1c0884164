/** The end of one task's batches: what is answered is written and goes out, and every row is closed. */
import { type BytesPlace, noPlace, placeOfKey } from '@millrace/stream';
import { type Answers, staleAnswers } from './ask.ts';
import type { Chosen } from './board.ts';
import { Room } from './bytes.ts';
import type { LaneOptions } from './laneOptions.ts';
import { emitPush, type Pushed } from './pushes.ts';
import { closed, type Run, type Taken } from './taken.ts';
import { Tally } from './tally.ts';
import type { VectorReader, Vectors } from './vectors.ts';

/** Where the key of a row's answer lies: that of its record, or its entity. */
export const keyOf = (
  reader: VectorReader,
  batch: Run['batch'],
  i: number,
  vectors: Vectors,
  row: number,
  place: BytesPlace,
): Readonly<BytesPlace> => {
  if (!placeOfKey(batch, i, place)) reader.entity(vectors, row, place);
  return place;
};

export class Closings {
  readonly #options: LaneOptions;
  readonly #room = new Room();
  readonly #tally = new Tally();
  /** Of the row in hand. */
  readonly #key = noPlace();
  #batches = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Rows leave the lane for a model. */
  waited(runs: readonly Run[], model: string): void {
    const { metrics, pipeline, clock } = this.#options;
    const labels = { pipeline: pipeline.name, model };
    const nowMs = clock.now();
    for (let row = 0; row < runs.length;) {
      const run = runs[row]!;
      const first = row;
      // Rows of a run came together.
      while (runs[row] === run) row++;
      const seconds = Math.max(0, nowMs - run.atMs) / 1000;
      metrics.observe('millrace_model_queue_seconds', labels, seconds, row - first);
    }
  }

  /** Predictions and closings of a batch, in one synchronous stretch and in the order of its rows. */
  close({ runs, at, routed, stale, vectors }: Taken, answers: Answers, { inForce }: Chosen): void {
    const { pipeline, metrics, writer, reader, clock, name } = this.#options;
    const scoredAt = clock.now();
    const batchId = `${name}-${this.#batches++}`;
    const written = ({ by, engineOf }: Answers) =>
      writer.begin({ vectors, by, engineOf, inForce, scoredAt, batchId }, this.#room);
    const write = written(answers);
    const constant = staleAnswers(reader.freshness?.constant ?? []);
    let writeConstant: typeof write | undefined;
    const tally = this.#tally;
    tally.renew(runs.length);
    for (let row = 0; row < runs.length; row++) {
      const [run, i] = [runs[row]!, at[row]!];
      const isConstant = stale[row]?.policy === 'fallback';
      const { by, failed, outputs: outputsOf } = isConstant ? constant : answers;
      const failure = failed.size === 0 ? undefined : failed.get(row);
      if (failure === undefined) {
        const outputs = outputsOf(row);
        const writeRow = isConstant ? (writeConstant ??= written(constant)) : write;
        const key = keyOf(reader, run.batch, i, vectors, row, this.#key);
        const offset = run.batch.offset(i);
        const answer = writeRow(row, key, outputs, offset, routed[row]!, stale[row] !== undefined);
        if (answer.pushes.length > 0) this.#push(answer.pushes, run, i);
        run.out.answer(i, 'predictions', answer);
        // How long an answer took is asked of live ones: what is replayed came long ago.
        const isLive = reader.runOf(run.input, run.batch, i) === undefined;
        if (isLive) tally.addTime(scoredAt - reader.appendTime(vectors, row));
        tally.add(answer.decision, outputs[0]);
        if (by.fallback !== null) tally.addFallback(by.fallback);
      } else run.out.reject(i, 'scoring-failed', failure);
      closed(run, 1);
    }
    tally.report(metrics, pipeline.name);
  }

  /** What goes to further topics beside the answer of the row in hand. */
  #push(pushes: readonly Pushed[], { out }: Run, i: number): void {
    const { metrics, pipeline } = this.#options;
    const { bytes, from, to } = this.#key;
    const key = bytes.subarray(from, to);
    for (const push of pushes) emitPush(out, i, key, push, { metrics, pipeline: pipeline.name });
  }
}
