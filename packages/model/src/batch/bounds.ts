import { costFit } from './cost.ts';

/** How far a batch may grow. Every limit holds at once; a limit left out is no limit. */
export interface BatchLimits {
  readonly rowsMax: number;
  /** Longest that a first row waits for others. */
  readonly waitMsMax: number;
  /** Grow until the call's fixed cost is at most this share of it. */
  readonly overheadShare?: number;
  /** One call, its fixed cost with it, takes at most so long. */
  readonly callMsMax?: number;
  /** The rows of one call, the fixed cost left out, take at most so long. */
  readonly rowsMsMax?: number;
}

export interface BatchBounds {
  /** Rows of the next batch, at least 1. */
  rowsMax(): number;
  readonly waitMsMax: number;
  /** One engine call: rows and milliseconds of compute. */
  observe(rows: number, ms: number): void;
}

export const DEFAULT_BATCH_LIMITS: BatchLimits = {
  // Beyond some hundred rows only latency grows: the engine alone took 20.6 µs a row of boosted trees in calls of one, 1.3 in
  // those of 128, 1.8 of 512, 2.0 of 2,048 (ONNX Runtime on a CPU).
  rowsMax: 512,
  waitMsMax: 0, // rows come in fetches, which are paced; while a call is under way the next batch gathers
  overheadShare: 0.05, // as Apache Beam's BatchElements, whose published vectors (a call of n rows costs 1 + 0.7 n) are our tests
  callMsMax: 5, // a call blocks its thread; heartbeats must come through
};

const GROWTH = 2;
const CALLS_REMEMBERED = 100;

/** A fit over noise may slope down or begin below zero; neither is possible. */
const PER_ROW_MS_LEAST = 1e-9;

/**
 * Bounds that follow the measured cost. They grow at most twofold beyond the largest call seen, so that a fit is never
 * trusted far from where it was measured; with calls of one size only, they grow until a second size is seen.
 */
export const batchBounds = (limits: BatchLimits, options: { warmUpCalls?: number } = {}): BatchBounds => {
  const fit = costFit({ callsMax: CALLS_REMEMBERED, warmUpCalls: options.warmUpCalls ?? 0 });

  const wanted = (): number => {
    const cost = fit.cost();
    if (cost === undefined) return limits.rowsMax;
    const a = Math.max(cost.perRowMs, PER_ROW_MS_LEAST);
    const b = Math.max(cost.perCallMs, 0);
    return Math.min(
      limits.rowsMax,
      limits.overheadShare === undefined ? Infinity : (b / a) * (1 / limits.overheadShare - 1),
      limits.callMsMax === undefined ? Infinity : (limits.callMsMax - b) / a,
      limits.rowsMsMax === undefined ? Infinity : limits.rowsMsMax / a,
    );
  };

  return {
    rowsMax() {
      const seen = fit.rowsSeenMax();
      const reach = seen === 0 ? 1 : seen * GROWTH;
      return Math.max(1, Math.floor(Math.min(wanted(), reach)));
    },
    waitMsMax: limits.waitMsMax,
    observe: (rows, ms) => fit.observe(rows, ms),
  };
};
