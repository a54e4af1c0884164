/** Pandas as the judge of a dataset: `test/parity/python/dataset.py`. */
import { join } from 'node:path';
import { findPython, lastWords, type Python, runFile } from '../../journey/python.ts';

const SCRIPTS = join(import.meta.dirname, '../python');
const JUDGE_MS_MAX = 300_000;

/** What the judge gets wrong when it is asked to, by its names there: it has to differ then. */
export const MISTAKES = ['edges', 'later', 'unknown'] as const;

export interface JudgedColumn {
  readonly compared: number;
  readonly mismatches: number;
  /** Greatest difference, as a share of max(1, |pandas|). */
  readonly worst: number;
  /** The first few that differ; null is missing. */
  readonly examples: readonly {
    readonly eventId: string;
    readonly dataset: number | null;
    readonly pandas: number | null;
  }[];
}

/** What the judge prints. */
export interface Judged {
  readonly rows: number;
  /** Of all columns together. */
  readonly values: number;
  readonly mismatches: number;
  readonly columns: Readonly<Record<string, JudgedColumn>>;
  /** Events of the days without a row, rows without an event, rows that come again. */
  readonly missing: number;
  readonly extra: number;
  readonly doubled: number;
  /** Rows with a label. */
  readonly labelled: number;
  /** Rows with an event exactly on an edge of one of their windows. */
  readonly onAnEdge: number;
  /** Rows that share customer and time with another; of these, rows whose order is not published: not compared. */
  readonly sameTime: number;
  readonly undecided: number;
  /** Values that differ where the judge makes a mistake, by column; empty where it was not asked to. */
  readonly mistakes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** A sentence for each reason to refuse the dataset. */
  readonly wrong: readonly string[];
}

export const findPandas = (): Promise<Python> => findPython(join(SCRIPTS, 'requirements.txt'));

/**
 * @param dataset Parquet file, its manifest beside it
 * @param inputs what was published, as `recording` writes it
 * @throws Error where the judge cannot judge
 */
export const judgeDataset = async (
  python: string,
  dataset: string,
  inputs: string,
  mistakes: readonly string[] = [],
): Promise<Judged> => {
  const options = { dataset, inputs, mistakes: mistakes.join() };
  const ran = await runFile(python, join(SCRIPTS, 'dataset.py'), options, JUDGE_MS_MAX);
  // It ends with 1 for its own failures, too; a verdict is there only where it came to one.
  if (!ran.out.startsWith('{')) throw new Error(`dataset.py failed: ${lastWords(ran)}`);
  const judged = JSON.parse(ran.out) as Judged;
  if ((ran.code === 0) !== (judged.wrong.length === 0))
    throw new Error(`dataset.py ended with ${ran.code}, and found ${judged.wrong.length} reasons`);
  return judged;
};
