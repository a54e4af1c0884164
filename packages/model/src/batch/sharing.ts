import { Floats } from './floats.ts';
import { type Rows, type Scored, type Scorer, ScoringError } from '../scorer.ts';

/** Rows that batches share a call up to; a larger batch has one of its own. */
const SHARED_ROWS_MAX = 256;

interface Asked {
  readonly batch: Rows;
  readonly answer: PromiseWithResolvers<Scored>;
}

const join = (asked: readonly Asked[], data: Float32Array): void => {
  let at = 0;
  for (const { batch } of asked) {
    data.set(batch.data, at);
    at += batch.data.length;
  }
};

/** The answers of a shared call, to each batch those of its own rows. */
const deal = (asked: readonly Asked[], { data, computeMs }: Scored, rows: number): void => {
  const width = data.length / rows;
  let from = 0;
  for (const [i, { batch, answer }] of asked.entries()) {
    const to = from + batch.rows;
    answer.resolve({ data: data.slice(from * width, to * width), computeMs, callRows: i === 0 ? rows : 0 });
    from = to;
  }
};

/**
 * A scorer whose small batches share an engine call where they are asked in one turn of the event loop: a call costs as
 * much as some ten rows, and handing it to another thread as much again. Each batch has the answers of its own rows. Where
 * the engine refuses a shared call each batch is asked alone, so that no row takes those of others along.
 */
export const sharingScorer = (scorer: Scorer): Scorer => {
  let gathered: Asked[] = [];
  let gatheredRows = 0;
  const floats = new Floats();

  const alone = ({ batch, answer }: Asked): void =>
    void scorer.score(batch).then(answer.resolve, answer.reject);

  const leave = (): void => {
    const asked = gathered;
    const rows = gatheredRows;
    gathered = [];
    gatheredRows = 0;
    if (asked.length === 0) return;
    if (asked.length === 1) return alone(asked[0]!);
    const data = floats.take(asked.reduce((size, { batch }) => size + batch.data.length, 0));
    join(asked, data);
    scorer.score({ rows, data }).then(
      scored => {
        floats.give(data);
        deal(asked, scored, rows);
      },
      (error: unknown) => {
        for (const one of asked)
          if (error instanceof ScoringError) alone(one);
          else one.answer.reject(error);
      },
    );
  };

  return {
    provider: scorer.provider,
    score(batch) {
      const answer = Promise.withResolvers<Scored>();
      if (gatheredRows + batch.rows > SHARED_ROWS_MAX) leave();
      if (gathered.length === 0) setImmediate(leave);
      gathered.push({ batch, answer });
      gatheredRows += batch.rows;
      return answer.promise;
    },
    close() {
      // Calls still open are answered first.
      leave();
      return scorer.close();
    },
  };
};
