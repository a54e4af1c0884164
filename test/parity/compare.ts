import type { Again } from './again.ts';
import type { DatasetResult } from './dataset/run.ts';
import type { Skew } from './skew.ts';
import type { Why } from './why.ts';

export interface ColumnResult {
  compared: number;
  mismatches: number;
  /** Greatest difference found, as a share of max(1, |published|). */
  worst: number;
}

/** What `pnpm parity --output json` prints as its last line. */
export interface ParityResult {
  readonly epochs: 'replay' | 'live';
  readonly rows: number;
  readonly columns: Readonly<Record<string, ColumnResult>>;
  readonly seconds: number;
  readonly recordsPerSecond: number;
  /** Of the feature service: user and system seconds for a million transactions and labels. Null where nobody counts. */
  readonly cpuSecondsPerMillion: number | null;
  /** Events whose vector did not come, and vectors that came again. */
  readonly missing: number;
  readonly doubled: number;
  /** Records published a second time on purpose, and feature processes killed. */
  readonly duplicates: number;
  readonly kills: number;
  /** Resident memory of the feature process that held most, without files, MB; null where nobody looks. */
  readonly memory: {
    readonly mbMax: number;
    readonly curve: readonly { readonly seconds: number; readonly mb: number }[];
    /** State on the disks of all processes at the end; null where it is all in memory. */
    readonly diskMb: number | null;
  } | null;
  /** Live: from the append of a payment to the append of its vector. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** Live: rows that differ, in whatever column, and why; null of a replay. */
  readonly why: ({ readonly rows: number } & Why) | null;
  /** The same stretch run again with its recorded epochs; null where it was not. */
  readonly again: Again | null;
  /** What `millrace features verify` says of the same vectors; null where it was not asked. */
  readonly skew: Skew | null;
  /** The rows to train on; null where they were not asked for. */
  readonly dataset: DatasetResult | null;
  /** By model. */
  readonly scores?: Readonly<Record<string, ScoreResult | ReferenceResult>>;
}

/** Predictions compared with the model run offline, and the greatest difference. */
export interface ScoreResult {
  readonly rows: number;
  readonly worst: number;
}

/** Predictions compared with scores that others computed, and their figures over the rows of the published ones. */
export interface ReferenceResult extends ScoreResult {
  /** Rows of the reference without a prediction. */
  readonly missing: number;
  /**
   * Rows left out of `worst`: the model, asked with the published features, gives the reference; with ours, which are not
   * rounded to six digits, it falls on the other side of a split.
   */
  readonly roundedAway: number;
  readonly auc: number | null;
  readonly averagePrecision: number | null;
  readonly cardPrecisionAt100: number | null;
  /** The comparison with the model run offline. */
  readonly offline?: ScoreResult;
}

export const TOLERANCE = 1e-6;
export const SCORE_TOLERANCE = 1e-5;
const difference = (a: number, b: number): number => Math.abs(a - b) / Math.max(1, Math.abs(b));

/** Compares vectors with published rows, column by column, as they come. */
export interface Comparison {
  /** `values` in the order of the columns. Rows that are not published, or excepted, are passed over. */
  add(id: number, values: ArrayLike<number>): void;
  result(): Pick<ParityResult, 'rows' | 'columns'>;
  /** Rows that differ in some column. */
  readonly differing: Differing;
}

/** Ids of transactions. */
export type Differing = ReadonlySet<number>;

export const compareColumns = (
  columns: readonly string[],
  published: ReadonlyMap<number, ArrayLike<number>>,
  excepted: ReadonlySet<number> = new Set(),
): Comparison => {
  const results = columns.map((): ColumnResult => ({ compared: 0, mismatches: 0, worst: 0 }));
  const differing = new Set<number>();
  let rows = 0;
  return {
    differing,
    add: (id, values) => {
      const expected = published.get(id);
      if (expected === undefined || excepted.has(id)) return;
      rows++;
      results.forEach((result, c) => {
        const off = difference(values[c]!, expected[c]!);
        result.compared++;
        if (!(off <= TOLERANCE)) {
          result.mismatches++;
          differing.add(id);
        }
        // A missing value is as wrong as can be.
        result.worst = Math.max(result.worst, Number.isNaN(off) ? Number.MAX_VALUE : off);
      });
    },
    result: () => ({ rows, columns: Object.fromEntries(columns.map((name, c) => [name, results[c]!])) }),
  };
};
