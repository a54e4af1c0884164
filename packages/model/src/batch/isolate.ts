import { type Rows, type Scorer, ScoringError } from '../scorer.ts';

export interface Isolated {
  /** Row-major outputs; those of a failed row mean nothing. */
  readonly data: Float32Array;
  /** Rows that cannot be scored, each with why. */
  readonly failed: ReadonlyMap<number, ScoringError>;
  /** Engine calls that answered: rows and milliseconds of each. */
  readonly calls: readonly { readonly rows: number; readonly ms: number }[];
}

interface Part {
  readonly from: number;
  readonly rows: number;
}

const partOf = ({ data }: Rows, { from, rows }: Part, width: number): Rows => ({
  rows,
  data: data.subarray(from * width, (from + rows) * width),
});

/** @throws whatever is not the rows' fault */
const refusalOf = (cause: unknown): ScoringError => {
  if (cause instanceof ScoringError) return cause;
  throw cause;
};

/**
 * Scores a batch; when the engine refuses it, halves it until the bad rows are alone, and scores the rest. An answer
 * that is not a finite number counts as a failure of its row: it must never leave.
 * @throws whatever is not the rows' fault (ScorerLost)
 */
export const scoreIsolating = async (
  scorer: Scorer,
  batch: Rows,
  widths: { readonly input: number; readonly output: number },
): Promise<Isolated> => {
  const data = new Float32Array(batch.rows * widths.output);
  const failed = new Map<number, ScoringError>();
  const calls: { rows: number; ms: number }[] = [];
  const open: Part[] = batch.rows === 0 ? [] : [{ from: 0, rows: batch.rows }];
  for (let part = open.pop(); part !== undefined; part = open.pop()) {
    const { from, rows } = part;
    const asked = rows === batch.rows ? batch : partOf(batch, part, widths.input);
    const answer = await scorer.score(asked).catch(refusalOf);
    if (!(answer instanceof ScoringError)) {
      data.set(answer.data, from * widths.output);
      const callRows = answer.callRows ?? rows;
      if (callRows > 0) calls.push({ rows: callRows, ms: answer.computeMs });
    } else if (rows === 1) failed.set(from, answer);
    else {
      const half = rows >> 1;
      open.push({ from: from + half, rows: rows - half }, { from, rows: half });
    }
  }
  for (let at = 0; at < data.length; at++) {
    if (Number.isFinite(data[at])) continue;
    const row = Math.floor(at / widths.output);
    if (!failed.has(row))
      failed.set(row, new ScoringError('the model answered something that is not a finite number'));
  }
  return { data, failed, calls };
};
