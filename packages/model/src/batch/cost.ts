/**
 * What an engine call costs: t = a * rows + b, fitted by least squares over the last calls. The first calls are left
 * out (the engine is still warming up), and so is the slowest fifth once there are enough, because pauses that have
 * nothing to do with the call (garbage collection, a neighbour on the core) would weigh most.
 */
export interface Cost {
  /** Milliseconds for each row. */
  readonly perRowMs: number;
  /** Milliseconds for the call. */
  readonly perCallMs: number;
}

export interface CostFit {
  observe(rows: number, ms: number): void;
  /** Undefined until calls of two different sizes were seen. */
  cost(): Cost | undefined;
  /** Largest call among those remembered; 0 before the first. */
  rowsSeenMax(): number;
}

interface Call {
  readonly rows: number;
  readonly ms: number;
}

const TRIM_FROM_CALLS = 20;
const TRIM_KEEP_SHARE = 0.8;
/** Fitted anew once so much of the calls is new: after each of the first ten, and then less often. */
const REFIT_SHARE = 0.1;

const leastSquares = (calls: readonly Call[]): Cost | undefined => {
  const meanRows = calls.reduce((sum, c) => sum + c.rows, 0) / calls.length;
  const meanMs = calls.reduce((sum, c) => sum + c.ms, 0) / calls.length;
  const spread = calls.reduce((sum, c) => sum + (c.rows - meanRows) ** 2, 0);
  if (!(spread > 0)) return undefined;
  const together = calls.reduce((sum, c) => sum + (c.rows - meanRows) * (c.ms - meanMs), 0);
  const perRowMs = together / spread;
  return { perRowMs, perCallMs: meanMs - perRowMs * meanRows };
};

/** Rests on the first fit's residuals: a large call is not slow for being large. */
const withoutSlowest = (calls: readonly Call[], cost: Cost): readonly Call[] => {
  const excess = (c: Call): number => c.ms - (cost.perRowMs * c.rows + cost.perCallMs);
  return calls.toSorted((x, y) => excess(x) - excess(y)).slice(0, Math.ceil(calls.length * TRIM_KEEP_SHARE));
};

const largestOf = (calls: readonly Call[]): number =>
  calls.reduce((most, { rows }) => Math.max(most, rows), 0);

export const costFit = (options: { readonly callsMax: number; readonly warmUpCalls: number }): CostFit => {
  const calls: Call[] = [];
  let skipped = 0;
  let rowsMost = 0;
  let fitted: Cost | undefined;
  /** Since it was fitted. */
  let newCalls = 0;

  const fit = (): Cost | undefined => {
    const all = leastSquares(calls);
    if (all === undefined || calls.length < TRIM_FROM_CALLS) return all;
    return leastSquares(withoutSlowest(calls, all)) ?? all;
  };

  return {
    observe(rows, ms) {
      if (skipped < options.warmUpCalls) {
        skipped++;
        return;
      }
      calls.push({ rows, ms });
      newCalls++;
      const gone = calls.length > options.callsMax ? calls.shift() : undefined;
      rowsMost = gone?.rows === rowsMost ? largestOf(calls) : Math.max(rowsMost, rows);
    },
    cost() {
      if (newCalls > 0 && (fitted === undefined || newCalls >= calls.length * REFIT_SHARE)) {
        fitted = fit();
        newCalls = 0;
      }
      return fitted;
    },
    rowsSeenMax: () => rowsMost,
  };
};
